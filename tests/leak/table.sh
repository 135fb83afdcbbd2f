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

# groups_without REGEX: those of the report in $out that are a verdict and show no function like it
groups_without()
{
    awk -v re="(^|[^a-zA-Z0-9_])($1)([^a-zA-Z0-9_]|\$)" 'BEGIN { RS = "" }
        /^(unsettled: )?[0-9]+ bytes in / && $0 !~ re { print; print "" }' <<<"$out"
}
