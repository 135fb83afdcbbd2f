#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The manual pages: well-formed, with examples, and with the options that --help has, no more, no less.
#
# A page is judged as a reader sees it: rendered. All programs of build/bin are held to it, and all
# pages of man/.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }

rendered()
{
    mandoc -T ascii "$1" | col -bx
}

# Heads of options: "  -L, --label TEXT    ..." gives "-L --label"; sorted lines.
options()
{
    sed -En 's/^ +(-[A-Za-z0-9])?,? ?(--[a-z][a-z0-9-]*)?([ =[].*)?$/\1 \2/p' |
        sed 's/^ //; s/ $//' | grep -- - | LC_ALL=C sort -u
}

# The options' list of a page; an option that is spoken of elsewhere does not count.
page_options()
{
    rendered "$1" | sed -n '/^DESCRIPTION/,/^[A-Z]* *[A-Z]*EXAMPLES/p' | grep -E '^ {2,9}-' | options
}

# Exit statuses: the numbers at the start of lines below a heading.
statuses()
{
    sed -n '/^[Ee][Xx][Ii][Tt] [Ss][Tt][Aa][Tt][Uu][Ss]:*$/,/^[A-Z]/{/^[Ee][Xx]/b;p}' |
        sed -En 's/^ +([0-9]+) .*/\1/p' | sort -n | paste -sd' '
}

shopt -s nullglob
for page in man/*.[1-8]; do
    name=${page##*/}
    # Neither the host's index of pages nor the width of its terminals is the page's matter.
    # Two streams, and only one of them by lines: mixed, one can part a line of the other.
    run sh -c '{ mandoc -T lint "$1" 2>"$2"; cat "$2"; } |
        grep -v "referenced manual not found\|outdated mandoc.db\|line longer than 80"' lint "$page" "$tmp/words"
    is "$out" '' "$name: well-formed"
    [ "$(grep -c '^\.Sh EXAMPLES\|^\.SH EXAMPLES' "$page")" = 1 ]
    ok $? "$name: has examples"
    absent=
    for ref in $(sed -En 's/^\.Xr ([^ ]*(simplefs|kmodleak)[^ ]*) ([1-8]).*/\1.\3/p' "$page" | sort -u); do
        [ -e "man/$ref" ] || absent+=" $ref"
    done
    is "$absent" '' "$name: the project's pages it names are there"
    program=build/bin/${name%.8}
    [ "$name" = simplefs.5 ] || [ -x "$program" ]
    ok $? "$name: there is such a program"
done

for program in build/bin/*; do
    name=${program##*/}
    case $name in *_id) continue ;; esac	# udev's, not a user's
    page=man/$name.8
    [ -e "$page" ]
    ok $? "$name: has a page" || continue
    run "$program" --help
    exits 0 "$name --help"
    printf '%s\n' "$out" >"$tmp/help"
    options <"$tmp/help" >"$tmp/help.options"
    page_options "$page" >"$tmp/page.options"
    [ -s "$tmp/help.options" ] && diff "$tmp/help.options" "$tmp/page.options" >"$tmp/diff"
    ok $? "$name: $(wc -l <"$tmp/help.options") options, the same in --help and the page" || diag "$(cat "$tmp/diff")"
    want=$(statuses <"$tmp/help")
    [ -z "$want" ] || is "$(rendered "$page" | statuses)" "$want" "$name: exit statuses $want"
    missing=
    for word in $(sed -En 's/^ {8}([a-z_-]+=?[A-Z]*)( .*|$)/\1/p' "$tmp/help"); do
        rendered "$page" | grep -qwF -- "$word" || missing+=" $word"
    done
    is "$missing" '' "$name: words that its lists take are in the page"
done

# The comparison itself.
sed 's/^\.It Fl q , -quiet/.It Fl s , -silent/' man/mkfs.simplefs.8 >"$tmp/mkfs.8"
run diff <(build/bin/mkfs.simplefs --help | options) <(page_options "$tmp/mkfs.8")
like '^< -q --quiet$' 'an option that the page has not is seen'
like '^> -s --silent$' 'and one that only the page has'
done_testing
