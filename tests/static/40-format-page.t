#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# simplefs.5 against the source, both ways: each field, each constant, each mount option.
#
# The compiler says what the header means: a program made from its names prints them with their
# values, in the form in which the page's rows are read.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"

# header_facts HEADER: "struct NAME SIZE", "field STRUCT NAME OFFSET SIZE", "const NAME VALUE"
header_facts()
{
    {
        echo '#include <stdio.h>'
        echo '#include "port.h"'
        echo "#include \"$(realpath "$1")\""
        echo '#define CONST(name, x) _Generic((x), char *: printf("const %s %s\n", name, (char *)(unsigned long)(x)), default: printf("const %s %llu\n", name, (unsigned long long)(unsigned long)(x)))'
        echo 'int main(void) {'
        awk '
            /^struct [a-z_]+ \{/ { s = $2; printf "printf(\"struct %s %%zu\\n\", sizeof(struct %s));\n", s, s }
            /^\}/ { s = "" }
            s != "" && match($0, /[a-z_0-9]+(\[[A-Z_0-9]+\])?;/) {
                f = substr($0, RSTART, RLENGTH); sub(/[[;].*/, "", f)
                printf "printf(\"field %s %s %%zu %%zu\\n\", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));\n", s, f, s, f, s, f
            }
            /^#define SFS_[A-Z0-9_]+[ \t]/ && $2 !~ /_KNOWN$/ { printf "CONST(\"%s\", %s);\n", $2, $2 }
        ' "$1"
        echo 'return 0; }'
    } >"$tmp/facts.c"
    gcc -std=gnu11 -D_GNU_SOURCE -Isrc/core -Isrc/lib -w -o "$tmp/facts" "$tmp/facts.c" && "$tmp/facts" | LC_ALL=C sort
}

# page_facts PAGE: the same, from the rows of its tables
page_facts()
{
    awk '
        /^\.Vt struct / { s = $3 }
        /^[0-9]+ bytes\.$/ { print "struct", s, $1 }
        /^\.It [0-9]+ Ta [0-9]+ Ta Va / { print "field", s, $7, $2, $4 }
        /^\.It Dv SFS_/ { print "const", $3, $5 }
    ' "$1" | sed 's/\\(dq//g' | while read -r what name value rest; do
        [[ $what != const || $value != 0x* ]] || value=$(printf %llu "$value")
        echo "$what $name $value${rest:+ $rest}"
    done | LC_ALL=C sort
}

# mount_facts: the options and the values of the enumerated ones, from the module's tables
mount_facts()
{
    sed -n 's/^\tfsparam_\(enum\|string\|u32\|flag\|flag_no\)("\([a-z_]*\)".*/\1 \2/p' src/kernel/mount.c |
        while read -r kind name; do
            case $kind in
            enum) echo "$name=$(sed -n "/sfs_${name}_values\[\]/,/^}/s/.*{ \"\([a-z-]*\)\".*/\1/p" src/kernel/mount.c | paste -sd'|')" ;;
            flag | flag_no) echo "$name" ;;
            string) echo "$name=path" ;;
            u32) echo "$name=number" ;;
            esac
        done | LC_ALL=C sort
}

page_mount_facts()
{
    sed -n '/^\.Sh MOUNT OPTIONS/,/^\.Sh FSTAB/p' "$1" | sed -n 's/^\.It Cm //p' |
        sed 's/ Ns = Ns \(Cm\|Ar\) /=/; s/ | /|/g' | LC_ALL=C sort
}

# same WHAT FILE FILE: no line is in one of them only
same()
{
    [ -s "$2" ] && diff "$2" "$3" >"$tmp/diff"
    ok $? "$1" || diag "$(cat "$tmp/diff")"
}

header_facts src/core/format.h >"$tmp/header"
page_facts man/simplefs.5 >"$tmp/page"
for what in struct field const; do
    for side in header page; do
        grep "^$what " "$tmp/$side" >"$tmp/$side.$what"
    done
    same "$(wc -l <"$tmp/header.$what") facts of the header are the page's: $what" "$tmp/header.$what" "$tmp/page.$what"
done
is "$(awk '/^struct/ { s[$2] = $3 } /^field/ { f[$2] += $5 } END { for (n in s) if (s[n] != f[n]) print n }' "$tmp/header")" '' \
    'the fields fill their structures: none was overlooked'
mount_facts >"$tmp/options"
page_mount_facts man/simplefs.5 >"$tmp/page.options"
same "$(wc -l <"$tmp/options") mount options are the page's" "$tmp/options" "$tmp/page.options"

# The comparison itself: an edit of either side is seen.
sed 's/^\tu8 h_live;/\tu8 h_alive;/; s/\(SFS_NAME_MAX\t*\)255/\1254/' src/core/format.h >"$tmp/other.h"
header_facts "$tmp/other.h" >"$tmp/other"
run diff "$tmp/other" "$tmp/page"
like '^< field sfs_head h_alive 40 1$' 'a field renamed in the header is seen'
like '^< const SFS_NAME_MAX 254$' 'and a constant changed'
sed 's/^\.It 32 Ta 4 Ta Va h_fsid/.It 32 Ta 8 Ta Va h_fsid/' man/simplefs.5 >"$tmp/other.5"
run diff "$tmp/header" <(page_facts "$tmp/other.5")
like '^> field sfs_head h_fsid 32 8$' 'and a size changed in the page'
done_testing
