#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Water runs down: no two files of src/ need each other, by what they call or by what they include.
# Asked of each program as it is linked, core and porch together.
. "$(dirname "$0")/../tap/tap.sh"
. tests/static/headers.sh

# objects PREFIX FOLDER...: what the sources of these folders of src/ are compiled to
objects()
{
    local prefix=$1
    shift
    (cd src && find "$@" -name '*.c' ! -name '*.bpf.c' | sed "s,^\\(.*\\)c\$,$prefix/\\1o," | sort)
}

run make -j2 --no-print-directory tools
exits 0 'the tools build'
run make -j2 --no-print-directory module KVER="$kver" KDIR="$kdir"
exits 0 'the module builds'
mapfile -t objs < <(objects "build/module/$kver" core kernel)
run tests/static/circles.py "${objs[@]}"
exits 0 'no circle in the module'
for dir in src/*/; do
    dir=$(basename "$dir")
    [ -n "$(find "src/$dir" -name '*.c' ! -name '*.bpf.c')" ] || continue
    case $dir in core | kernel | lib) continue ;; esac
    mapfile -t objs < <(objects build/obj/src core lib "$dir")
    run tests/static/circles.py "${objs[@]}"
    exits 0 "no circle in $dir with library and core"
done
mapfile -t files < <(find src -name '*.[ch]')
run tests/static/circles.py --include -I src/core -I src/lib -I src/kernel "${files[@]}"
exits 0 'no circle of includes'

# The check itself: three files, by calls and by a table's entry, that come round to the first.
mkdir "$tmp/round"
cd "$tmp/round" || exit 1
printf 'int two(void);\nint one(void)\n{\n\treturn two();\n}\n' >one.c
printf 'extern int (*const table[1])(void);\nint two(void)\n{\n\treturn table[0]();\n}\n' >two.c
printf 'int one(void);\nint (*const table[1])(void) = { one };\n' >table.c
printf 'int one(void);\nint main(void)\n{\n\treturn one();\n}\n' >above.c
gcc -c one.c two.c table.c above.c || echo 'Bail out! the made-up circle does not compile'
check=$top/tests/static/circles.py
run "$check" above.o one.o two.o table.o
exits 1 'a made-up circle is found'
like '^circle: one table two$' 'with its files, and none that only uses them'
like '^    one needs two: two$' 'and the symbol that one needs of the other'
run "$check" above.o one.o two.o
exits 0 'without one of them it is none'
printf '#include "b.h"\n' >a.h
printf ' # include "sub/c.h"\n' >b.h
mkdir sub
printf '#include "a.h"\n#include "none.h"\n' >sub/c.h
printf '#include "a.h"\n' >user.c
run "$check" --include -I . a.h b.h sub/c.h user.c
exits 1 'a made-up circle of includes is found'
like '^circle: a.h b.h sub/c.h$' 'with its files'
run "$check" --include a.h b.h sub/c.h user.c
exits 0 'which is none where the folder is not searched'
cd "$top" || exit 1
done_testing
