#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The header probes: what is there is found, what only looks so is not, and no headers is an error.
. "$(dirname "$0")/../tap/tap.sh"

inc=$tmp/kernel/include
mkdir -p "$inc/linux"
cat >"$inc/linux/a.h" <<'C'
/* in_comment_only(x) is gone. */
/*
 * in_block_only(x) as well
 */
static inline void plain(struct inode *inode);
struct thing *returns_pointer(int a);
int longer_name_here(void);
#define a_macro(x) (x)
enum { FIRST = 1, LAST_ONE };
extern struct workqueue_struct *a_variable;
struct one {
	int first;
	struct inode *(*hook)(struct inode *dir);
	int array[3], second;
	/* gone: old */
};
struct two {
	int other;
};
C
questions()
{
    for name in in_comment_only in_block_only plain returns_pointer name a_macro FIRST LAST_ONE a_variable; do
        echo "has $name linux/a.h"
    done
    echo 'has plain linux/absent.h'
    for field in first hook array second old other; do
        echo "member one $field linux/a.h"
    done
    echo 'header linux/a.h'
    echo 'header linux/absent.h'
}
{ sed -E '/^(has|member|header) /d' src/kernel/probe.sh; questions; } >"$tmp/probe.sh"
run sh "$tmp/probe.sh" "$tmp/kernel"
exits 0 'the probes run'
is "$(tr ' ' '\n' <<<"$out" | sed -n 's/-DSFS_HAVE_//p' | xargs)" \
    'PLAIN RETURNS_POINTER A_MACRO FIRST LAST_ONE A_VARIABLE ONE_FIRST ONE_HOOK ONE_ARRAY ONE_SECOND LINUX_A_H' \
    'and find functions, macros, constants, fields and headers, but no comment and no part of a name'
run sh src/kernel/probe.sh "$tmp"
exits 1 'no headers is an error'
like 'no kernel headers' 'said in one line'

# Every question is asked for somebody: what compat.h does not read is not asked.
asked=$(sed -nE 's/^has +([^ ]+).*/\1/p; s/^member +([^ ]+) +([^ ]+).*/\1_\2/p; s/^header +(.*)/\1/p' src/kernel/probe.sh)
out=$(tr 'a-z/.-' 'A-Z___' <<<"$asked" | grep -Fxv -f <(grep -o 'SFS_HAVE_[A-Z0-9_]*' src/kernel/compat.h | sed 's/SFS_HAVE_//'))
[ -n "$asked" ]
ok $? 'probe.sh asks'
is "$out" '' 'and compat.h reads every answer'
done_testing
