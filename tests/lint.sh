#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The house rules that a script can check: each thing in its room, nothing too long, nothing silent.
#
# usage: tests/lint.sh [ROOT]
# Prints "file:line: what is wrong" for each breach and exits 1 if there is one; "warning:" lines
# do not count. Rules on single lines and functions are in tests/lint.awk, which reads each file
# once; those on files and across files are here. Both know a file by its path below ROOT.
set -euo pipefail
rules=$(cd "$(dirname "$0")" && pwd)/lint.awk
cd "${1:-$(dirname "$0")/..}"

list_files()
{
    "${rules%/*}/files" . | while IFS= read -r f; do
        grep -Iq . "$f" && printf '%s\n' "$f" || :
    done
}

# Prose has no SPDX line and no limit; man pages are prose with an SPDX line.
kind_of()
{
    local first
    case $1 in
    *.md | LICENSE | src/VERSION | *.gitignore | */expect.* | */name | debian/*) echo prose ;;
    *.c | *.h) echo c ;;
    *.[1-8]) echo man ;;
    *.awk) echo config ;;
    *)
        IFS= read -r first <"$1" || :
        case $1:$first in
        *.py:* | *'#!'*python*) echo python ;;
        *.t:* | *.sh:* | *'#!'*sh) echo shell ;;
        *) echo config ;;
        esac ;;
    esac
}

check_lines()
{
    while IFS= read -r f; do
        printf '%s\t%s\n' "$(kind_of "$f")" "$f"
    done | LC_ALL=C awk -f "$rules"
}

# Every error message once: a text seen in a log must lead to one line of source.
check_messages()
{
    awk '/^src\/.*\.c$/ && !/\.bpf\.c$/' | LC_ALL=C xargs -r -d '\n' awk -v messages=1 -f "$rules"
}

files=$(list_files)
out=$({ check_lines; } <<<"$files"; check_messages <<<"$files")
[ -z "$out" ] || printf '%s\n' "$out"
! grep -vq ': warning: ' <<<"${out:-x: warning: x}"
