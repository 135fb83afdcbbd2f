# SPDX-License-Identifier: GPL-2.0-only
# The verdicts of all leak tests, gathered in build/leak/table: a line for each kernel and case.
# Sourced after tests/tap/tap.sh; $kernel says which one is meant.
# shellcheck shell=bash
table=build/leak/table
mkdir -p build/leak

# row CASE EXPECTED GOT VERDICT: one line of the table; VERDICT is right, missed or false
row()
{
    printf '%s\t%s\t%s\t%s\t%s\n' "$kernel" "$1" "$2" "$3" "$4" >>"$table"
}

# forget CASES-REGEX: older rows of this kernel
forget()
{
    [ -f "$table" ] || return 0
    awk -F '\t' -v k="$kernel" -v re="^($1)\$" '!($1 == k && $2 ~ re)' "$table" >"$table.new"
    mv "$table.new" "$table"
}
