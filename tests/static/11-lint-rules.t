#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each rule of tests/lint.sh is shown a breach and must name it, and a clean twin it must let pass.
# A case is a tree of one file: the text from standard input below a proper head.
. "$(dirname "$0")/../tap/tap.sh"

# put PATH: the case's file, with the head its kind needs
put()
{
    rm -rf "$tmp/tree"
    mkdir -p "$tmp/tree/$(dirname "$1")"
    {
        case $1 in
        *.c | *.h) printf '/* SPDX-License-Identifier: GPL-2.0-only */\n/* A case. */\n' ;;
        *) printf '#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-only\n# A case.\n' ;;
        esac
        cat
    } >"$tmp/tree/$1"
}

# refuses PATH REGEX NAME: exactly one finding, in PATH, and the regex in it
refuses()
{
    put "$1"
    run tests/lint.sh "$tmp/tree"
    [ "$status" = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -Eq "^$1:[0-9]+: .*($2)" <<<"$out"
    ok $? "refused: $3" || diag "exit $status" "$out"
}

accepts()
{
    put "$1"
    run tests/lint.sh "$tmp/tree"
    [ "$status" = 0 ] && ! grep -v ': warning: ' <<<"$out" | grep -q .
    ok $? "accepted: $2" || diag "exit $status" "$out"
}

# lines N TEXT: that many lines
lines()
{
    awk -v n="$1" -v t="$2" 'BEGIN { while (n--) print t }'
}

body()
{
    printf 'int f(void)\n{\n'
    lines "$1" '	g();'
    printf '}\n'
}

accepts src/lib/a.c 'a file of 600 lines' < <(lines 598 'int a;')
refuses src/lib/a.c '601 lines' 'a file of 601 lines' < <(lines 599 'int a;')
accepts src/lib/a.c 'a function of 80 lines' < <(body 78)
refuses src/lib/a.c 'function of 81' 'a function of 81 lines' < <(body 79)
refuses tests/a.sh 'function of 8' 'a shell function over 80 lines' \
    < <(printf 'f()\n{\n'; lines 80 '    g'; printf '}\n')
accepts src/lib/a.c 'a function of 62 lines' < <(body 60)
like 'warning: function of 62' 'and warned of'

refuses src/kernel/inode.c 'compat.h' 'LINUX_VERSION_CODE in inode.c' <<<'#if LINUX_VERSION_CODE < 5'
accepts src/kernel/compat.h 'LINUX_VERSION_CODE in compat.h' <<<'#if LINUX_VERSION_CODE < 5'
refuses src/kernel/inode.c 'compat.h' 'its short form in inode.c' <<<'#if SFS_SINCE(6, 12)'
refuses src/core/alloc.c 'port.h' '__KERNEL__ in alloc.c' <<<'#ifdef __KERNEL__'
accepts src/core/port.h '__KERNEL__ in port.h' <<<'#ifdef __KERNEL__'
refuses src/kernel/super.c 'trans' 'jbd2_ in super.c' <<<'int a = jbd2_journal_stop(h);'
accepts src/kernel/journal.c 'jbd2_ in journal.c' <<<'int a = jbd2_journal_stop(h);'
accepts src/kernel/super.c 'jbd2_ in a comment' <<<'/* what jbd2_journal_stop() does */'
refuses src/kernel/inode.c 'buffer heads' 'struct buffer_head in inode.c' <<<'struct buffer_head *bh;'
refuses src/kernel/inode.c 'buffer heads' 'sb_bread in inode.c' <<<'void *a = sb_bread(sb, 1);'
refuses src/kernel/inode.c 'buffer heads' 'buffer_head.h in inode.c' <<<'#include <linux/buffer_head.h>'
accepts src/kernel/buf.h 'a cast to struct buffer_head in buf.h' <<<'struct buffer_head *bh;'
accepts src/kernel/buf.c 'struct buffer_head in buf.c' <<<'struct buffer_head *bh;'
refuses src/kernel/inode.c 'errors= policy' 'panic() in inode.c' <<<'	panic("gone");'
accepts src/kernel/error.c 'panic() in error.c' <<<'	panic("gone");'
refuses src/kernel/inode.c 'BUG_ON' 'BUG_ON' <<<'	BUG_ON(x);'
accepts src/kernel/inode.c 'BUILD_BUG_ON' <<<'	BUILD_BUG_ON(x);'
refuses src/lib/a.c 'dead code' '#if 0' <<<'#if 0'
refuses src/lib/a.c 'dead code' 'if (0)' <<<'	if (0)'

refuses src/core/a.c 'core includes only' 'linux/ in core' <<<'#include <linux/fs.h>'
refuses src/core/a.c 'core includes only' 'stdio.h in core' <<<'#include <stdio.h>'
accepts src/core/a.c 'core.h in core' <<<'#include "core.h"'
accepts src/core/btree_node.c 'btree_node.h in the tree' <<<'#include "btree_node.h"'
refuses src/core/a.c 'core includes only' 'a part of core.h alone' <<<'#include "btree.h"'
refuses src/core/alloc.c 'core includes only' 'btree_node.h elsewhere in core' <<<'#include "btree_node.h"'
accepts src/lib/a.c 'stdio.h in lib' <<<'#include <stdio.h>'

sized='static_assert(sizeof(struct sfs_a) == 4, "a");'
refuses src/core/format.h 'static_assert' 'a disk struct without its size' <<'C'
struct sfs_a {
	__le32 a_x;
};
C
accepts src/core/format.h 'a disk struct with its size' <<C
struct sfs_a {
	__le32 a_x;
	u8 a_pad[4];		/* int here is prose */
};
$sized
C
for type in int u32 uint32_t 'unsigned int' u64 size_t; do
    refuses src/core/format.h 'byte order' "$type in a disk struct" <<C
struct sfs_a {
	$type a_x;
};
$sized
C
done

refuses src/lib/a.c 'message already given' 'one message twice' <<'C'
	cli_die("cannot open %s: %s", a, b);
	cli_die("cannot open %s: %s",
		c, d);
C
accepts src/lib/a.c 'two messages' <<'C'
	cli_die("cannot open %s: %s", a, b);
	cli_die("cannot read %s: %s", a, b);
C
refuses tests/unit/a.c 'sleep' 'waiting by the clock in a unit test' <<<'	slee''p(1);'
refuses tests/cli/a.t 'sleep' 'and in a shell test' <<<'foo; slee''p 1'
accepts tests/cli/a.t 'the word in a comment' <<<'# never slee''p 1'
refuses src/lib/a.c 'name and a reason' 'a bare TODO' <<<'/* TODO: more */'
refuses src/lib/a.c 'name and a reason' 'a bare FIXME' <<<'/* FIXME */'
accepts src/lib/a.c 'a TODO with name and reason' <<<'/* TODO(ann): drop when 6.1 goes */'
refuses src/lib/a.c 'white space' 'a space at the end of a line' < <(printf 'int a; \n')
refuses src/lib/a.c 'spaces' 'eight spaces for a tab' < <(printf '        int a;\n')
refuses src/lib/a.c '100 columns' 'a line of 104 columns' < <(lines 1 "/* $(printf '%098d' 0) */")
refuses tests/a.sh "workplace" 'a path of the workplace' <<<"cd /wor""k/tree"
refuses tests/a.sh 'network address' 'a host name' <<<'curl http:/''/deb.example/x'

put src/lib/a.c </dev/null
echo 'int a;' >"$tmp/tree/src/lib/a.c"
run tests/lint.sh "$tmp/tree"
exits 1 'refused: a file without a head'
like 'a.c:1: no SPDX' 'for want of its licence'
like 'a.c:2: no comment' 'and of its first sentence'
done_testing
