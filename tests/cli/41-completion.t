#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The bash completions, asked as bash asks them: the function called with the words of a line.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
set +u	# bash-completion is not written for it
. /usr/share/bash-completion/bash_completion
compopt() { :; }	# only for a line that is being typed

# complete_line PROGRAM WORD...: what the last word may become, sorted, into $out
complete_line()
{
    local spec program=$1
    shift
    COMP_WORDS=("build/bin/$program" "$@")
    COMP_LINE=${line-${COMP_WORDS[*]}}
    COMP_POINT=${#COMP_LINE}
    COMP_CWORD=$#
    COMPREPLY=()
    spec=$(complete -p "$program") || return
    spec=${spec#*-F }
    "${spec%% *}" "build/bin/$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    out=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort)
}

mkdir -p "$tmp/files/sub" && : >"$tmp/files/disk.img"
for file in src/*/*.bash; do
    name=$(basename "$file" .bash)
    program=build/bin/$name
    [ -x "$program" ]
    ok $? "$name: there is such a program" || continue
    . "$file"
    ok $? "$name: the file is read by bash"
    complete_line "$name" --
    is "$out" "$("$program" --help | sed -En 's/^ +(-[A-Za-z], )?(--[a-z-]+).*/\2/p' | LC_ALL=C sort)" \
        "$name --: its long options"
    complete_line "$name" --vers
    is "$out" --version "$name --vers: --version"
    "$program" --help | grep -q '^usage: .*DEVICE' || continue
    complete_line "$name" "$tmp/files/di"
    is "$out" "$tmp/files/disk.img" "$name FILE: a file"
done

complete_line mkfs.simplefs -J ''
is "$out" "device=
none
size=
uuid=" 'mkfs.simplefs -J: what the journal may be'
complete_line tune.simplefs -e re
is "$out" remount-ro 'tune.simplefs -e: the answers there are'
complete_line mkfs.simplefs --journal si
is "$out" size= 'or begins like'
line="build/bin/mkfs.simplefs -J device=$tmp/files/di"	# bash cuts words at "="
complete_line mkfs.simplefs -J device = "$tmp/files/di"
unset line
is "$out" "$tmp/files/disk.img" 'and the device it is on'
complete_line mkfs.simplefs -d "$tmp/files/s"
is "$out" "$tmp/files/sub" 'mkfs.simplefs -d: a directory too'
complete_line mkfs.simplefs -L ''
is "$out" '' 'mkfs.simplefs -L: nothing to say'
complete_line dump.simplefs -g ''
is "$out" '' 'dump.simplefs -g: nothing to say'
done_testing
