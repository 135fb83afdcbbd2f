#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The runner can say no: what fails, dies, breaks its plan, says nothing or is missing counts as
# failed, and a run of nothing is a failure. So can the helpers that the tests are written with.
. "$(dirname "$0")/../tap/tap.sh"

# program NAME: an executable shell test from standard input; its path is the last argument of run
program()
{
    { echo '#!/bin/bash'; cat; } >"$tmp/$1"
    chmod +x "$tmp/$1"
}

# counts TEXT STATUS NAME: closing line and exit of a run
counts()
{
    is "$(tail -n 1 <<<"$out") / $status" "$1 / $2" "$3"
}

program good <<<'echo ok 1; echo ok 2; echo 1..2'
program bad <<<'echo ok 1; echo not ok 2; echo 1..2; exit 1'
program dies <<<'echo 1..1; echo ok 1; exit 3'
program unplanned <<<'echo ok 1'
program short <<<'echo 1..3; echo ok 1'
program silent <<<'true'

run tests/run "$tmp/good"
counts '2 passed, 0 failed' 0 'two checks that hold'
run tests/run "$tmp/bad"
counts '1 passed, 1 failed' 1 'a check that fails'
run tests/run "$tmp/good" "$tmp/dies"
counts '3 passed, 1 failed' 1 'a test that exits 3 after its plan'
run tests/run "$tmp/unplanned"
counts '1 passed, 1 failed' 1 'a test without a plan'
run tests/run "$tmp/silent"
counts '0 passed, 1 failed' 1 'a test that says nothing'
run tests/run "$tmp/absent"
counts '0 passed, 1 failed' 1 'a test that was never built'
run tests/run "$tmp/short"
[ "$status" = 1 ]
ok $? 'a test that stops before its plan is fulfilled' || diag "$out"
mkdir "$tmp/copy" && cp -r tests "$tmp/copy/" && rm -rf "$tmp"/copy/tests/*/*.[tc]
run "$tmp/copy/tests/run"
counts '0 passed, 1 failed' 1 'a tree without tests'

program helper <<<". $top/tests/tap/tap.sh; is 1 2 differ; done_testing"
run tests/run "$tmp/helper"
counts '0 passed, 1 failed' 1 'tap.sh: a difference'
program helper <<<". $top/tests/tap/tap.sh; run false; exits 0 x; run echo a; like b y; unlike a z; done_testing"
run tests/run "$tmp/helper"
counts '0 passed, 3 failed' 1 'tap.sh: exit status, missing and unwanted output'
program helper <<<". $top/tests/tap/tap.sh; done_testing"
run tests/run "$tmp/helper"
counts '0 passed, 1 failed' 1 'tap.sh: no check at all'

cat >"$tmp/unit.c" <<'C'
#include "tap/tap.h"
int main(int argc, char **argv)
{
	(void)argv;
	TAP_OK(true, "one");
	TAP_EQ(argc, 1, "two");
	TAP_REQUIRE(argc == 1, "three");
	return tap_done();
}
C
run gcc -Wall -Wextra -Werror -Itests -o "$tmp/unit" "$tmp/unit.c"
exits 0 'tap.h compiles'
run tests/run "$tmp/unit"
counts '2 passed, 0 failed' 0 'tap.h: checks that hold'
program unit1 <<<"exec $tmp/unit argument"
run tests/run "$tmp/unit1"
counts '1 passed, 2 failed' 1 'tap.h: a difference, and a requirement that ends the test'
done_testing
