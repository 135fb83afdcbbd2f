#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The user-space side under cppcheck and clang-tidy: library, tools. Kernel code is sparse's.
. "$(dirname "$0")/../tap/tap.sh"

shopt -s nullglob
core=(src/core/*.c)
porch=()
for f in src/*/*.c udev/*.c; do
    case $f in src/core/* | src/kernel/* | *.bpf.c) ;; *) porch+=("$f") ;; esac
done
# kmodleak includes what its kernel half is made into.
make -s tools >/dev/null 2>&1 || { echo "Bail out! the tools do not build"; exit 1; }
flags=(-Isrc/core -Isrc/lib -Ibuild/gen -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 '-DSIMPLEFS_VERSION="0"')

# The analyzer's and the bug finder's checks; the rest is taste, and the house has its own.
taste='easily-swappable-parameters narrowing-conversions reserved-identifier macro-parentheses
assignment-in-if-condition suspicious-string-compare sizeof-expression implicit-widening-of-multiplication-result'
checks='-*,clang-analyzer-*,bugprone-*'
checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
# Wrong about every second va_list when clang-tidy 14 reads several files in one run.
checks+=',-clang-analyzer-valist.Uninitialized'
for name in $taste; do
    checks+=,-bugprone-$name
done

# analyze WHAT INCLUDE FILE...: both tools over the files; INCLUDE comes before each of them
analyze()
{
    local what=$1 facts=$2
    shift 2
    [ $# -gt 0 ] || return 0
    # A loop of libbpf's, whose headers cppcheck does not read.
    run cppcheck '-Dbpf_object__for_each_program(p, o)=while ((p = o))' --quiet --std=c11 --error-exitcode=1 --inline-suppr -j 2 \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        --template='{file}:{line}: {id}: {message}' ${facts:+--include="$facts"} "${flags[@]}" "$@"
    exits 0 "cppcheck finds nothing in the $what"
    run clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" "$@" \
        -- -std=gnu11 "${flags[@]}" ${facts:+-include "$facts"}
    exits 0 "clang-tidy finds nothing in the $what"
}
analyze core tests/static/facts.h "${core[@]}"
analyze 'library and tools' '' "${porch[@]}"

printf 'int main(void)\n{\n\tint *a = 0;\n\n\treturn *a;\n}\n' >"$tmp/null.c"
run cppcheck --quiet --error-exitcode=1 "$tmp/null.c"
exits 1 'a null dereference is found by cppcheck'
run clang-tidy --quiet --warnings-as-errors='*' --checks='-*,clang-analyzer-*' "$tmp/null.c" --
exits 1 'and by clang-tidy'
done_testing
