#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The user-space side under cppcheck and clang-tidy: library, tools. Kernel code is sparse's.
. "$(dirname "$0")/../tap/tap.sh"

shopt -s nullglob
sources=()
for f in src/*/*.c udev/*.c; do
    case $f in src/kernel/* | *.bpf.c) ;; *) sources+=("$f") ;; esac
done
flags=(-Isrc/core -Isrc/lib -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 '-DSIMPLEFS_VERSION="0"')

run cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j 2 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches --template='{file}:{line}: {id}: {message}' \
    "${flags[@]}" "${sources[@]}"
exits 0 'cppcheck finds nothing'

# The analyzer's and the bug finder's checks; the rest is taste, and the house has its own.
run clang-tidy --quiet --warnings-as-errors='*' \
    --checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-reserved-identifier,-bugprone-macro-parentheses,-bugprone-assignment-in-if-condition,-bugprone-implicit-widening-of-multiplication-result' \
    "${sources[@]}" -- -std=gnu11 "${flags[@]}"
exits 0 'clang-tidy finds nothing'

printf 'int main(void)\n{\n\tint *a = 0;\n\n\treturn *a;\n}\n' >"$tmp/null.c"
run cppcheck --quiet --error-exitcode=1 "$tmp/null.c"
exits 1 'a null dereference is found by cppcheck'
run clang-tidy --quiet --warnings-as-errors='*' --checks='-*,clang-analyzer-*' "$tmp/null.c" --
exits 1 'and by clang-tidy'
done_testing
