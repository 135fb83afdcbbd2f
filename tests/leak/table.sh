# SPDX-License-Identifier: GPL-2.0-only
# The verdicts of all leak tests, gathered in build/leak/table: a line for each kernel and case.
# Sourced after tests/tap/tap.sh; $kernel says which one is meant.
# shellcheck shell=bash
table=build/leak/table
mkdir -p build/leak

# row CASE EXPECTED GOT VERDICT: one line of the table, in place of an older one; VERDICT is right,
# missed, false or absent
row()
{
    if [ -f "$table" ]; then
        awk -F '\t' -v k="$kernel" -v c="$1" '!($1 == k && $2 == c)' "$table" >"$table.new" && mv "$table.new" "$table"
    fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$kernel" "$1" "$2" "$3" "$4" >>"$table"
}

# groups REGEX BUT: those of the report in $out that are a verdict, and show a function like REGEX but
# none like BUT; an empty one stands for any function, or for none
groups()
{
    awk -v re="$1" -v but="$2" '
        function shows(names) { return $0 ~ "(^|[^a-zA-Z0-9_])(" names ")([^a-zA-Z0-9_]|$)" }
        BEGIN { RS = "" }
        /^(unsettled: )?[0-9]+ bytes in / && (re == "" || shows(re)) && !(but != "" && shows(but)) {
            print
            print ""
        }' <<<"$out"
}
