#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's stock coccinelle rules (those of make coccicheck that can report) over what is
# written in the kernel's dialect. kmodleak and the self-test are not: of what the rules say there, most
# asks for macros that programs do not have (ARRAY_SIZE, min), and nothing is a mistake.
# Needs the package coccinelle, which is large and wanted by nothing else: without it this is skipped.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
command -v spatch >/dev/null || skip_all 'apt install coccinelle'
rules=$(tests/static/coccinelle-rules) || { echo 'Bail out! no rules'; exit 1; }

# report RULE FOLDER...: what it finds there, by the options that its head asks for
report()
{
    local options
    options=$(sed -n 's|^// Options:||p' "$1")
    # shellcheck disable=SC2086
    timeout 1800 spatch -D report --very-quiet --no-show-diff --cocci-file "$1" $options \
        -I src/core -I src/lib -I src/kernel "${@:2}" 2>"$tmp/err"
    status=$?
}

tried=0
while IFS= read -r rule; do
    grep -q '^virtual.*report' "$rule" || continue
    found=
    for dir in src/core src/kernel src/lib src/mkfs src/dump src/fsck src/tune udev; do
        found+=$(report "$rule" --dir "$dir"; [ "$status" = 0 ] || { echo "exit $status:"; cat "$tmp/err"; })
    done
    tried=$((tried + 1))
    [ -z "$found" ] || { ok 1 "${rule#"$rules"/}" || diag "$found"; }
done < <(find "$rules" -name '*.cocci' | LC_ALL=C sort)
[ "$tried" -gt 40 ]
ok $? "$tried rules, and nothing else to say"

# One of them on what it is about.
printf 'int f(void)\n{\n\tchar *p = kmalloc(4, 1);\n\n\tmemset(p, 0, 4);\n\tif (p)\n\t\tkfree(p);\n\treturn 0;\n}\n' >"$tmp/wrong.c"
out=$(report "$rules/free/ifnullfree.cocci" "$tmp/wrong.c")
like 'NULL check before' 'a rule finds what it is about'
done_testing
