#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# gcc -fanalyzer over the core, the library and the tools. (smatch is in no Debian archive; sparse,
# cppcheck and clang's analyzer are the neighbours of this test.)
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"

# Where gcc 12 is wrong, each with the reason:
known='
src/core/zone.c:.*malloc-leak	published by an atomic store, which it does not follow
src/core/alloc.c:.*uninitialized value .used.	in a loop it forgets that an error is not 0
src/lib/cache.c:.*malloc-leak	the buffer is in the hash table by then
src/lib/text.c:.*malloc-leak	its first member is returned, and stands for it
src/mkfs/source_(dir|tar).c:.*malloc-leak	the same; or it is in a tree of tsearch(3)
src/mkfs/attrs.c:.*malloc-leak	its address is in the list by then
'

# analyze FILE...: lines "file:line: warning" for what is found
analyze()
{
    printf '%s\n' "$@" | xargs -P 2 -I FILE gcc -std=gnu11 -O2 -fanalyzer -Isrc/core -Isrc/lib -D_GNU_SOURCE \
        -D_FILE_OFFSET_BITS=64 '-DSIMPLEFS_VERSION="0"' -c -o /dev/null FILE 2>&1 | grep -E 'Wanalyzer|error:'
}

files=()
for f in src/*/*.c udev/*.c; do
    case $f in src/kernel/* | *.bpf.c | src/kmodleak/* | src/selftest/*) ;; *) files+=("$f") ;; esac
done
out=$(analyze "${files[@]}" | grep -Ev -f <(sed -n 's/\t.*//p' <<<"$known"))
is "$out" '' "${#files[@]} files and no finding but the known"

printf '#include <stdlib.h>\nint main(void)\n{\n\tint *p = malloc(4);\n\n\tfree(p);\n\treturn *p;\n}\n' >"$tmp/wrong.c"
out=$(analyze "$tmp/wrong.c")
like 'Wanalyzer-use-after-free' 'a use after free is found by the same call'
done_testing
