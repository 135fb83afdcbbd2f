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

# groups REGEX RIVALS: those of the report in $out that are a verdict, and whose stack shows a function
# like REGEX, and none like RIVALS further in; an empty REGEX stands for any function, empty RIVALS for none
groups()
{
    awk -v re="$1" -v rivals="$2" '
        # the first line of the group that shows such a function
        function first(names,    i) {
            for (i = 1; i <= NF && $i !~ "(^|[^a-zA-Z0-9_])(" names ")([^a-zA-Z0-9_]|$)"; i++)
                ;
            return i
        }
        BEGIN { RS = ""; FS = "\n" }
        /^(unsettled: )?[0-9]+ bytes in / {
            at = re == "" ? NF + 1 : first(re)
            if ((re == "" || at <= NF) && (rivals == "" || at <= first(rivals))) {
                print
                print ""
            }
        }' <<<"$out"
}
