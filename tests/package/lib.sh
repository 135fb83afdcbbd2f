# SPDX-License-Identifier: GPL-2.0-only
# What the package tests share: the packages of this tree for a suite, and a root to put them in.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root: packages are built and installed in roots of their own"

# bookworm alone unless more are asked for: the others cost as much again.
read -ra suites <<<"${SFS_SUITES:-bookworm}"

# packages SUITE: builds them unless they are there for this very source; without the unit tests,
# which `make check` runs by themselves
packages()
{
    debian/make-deb --nocheck "$1" >"$tmp/make-deb.log" 2>&1 ||
        { diag "$(tail -n 40 "$tmp/make-deb.log")"; echo "Bail out! the packages do not build"; exit 1; }
}

# in_suite SUITE WITH COMMAND...: in a throw-away root with the packages of WITH; the tests are at
# /simplefs/tests there, the packages at /debs, the apt repository at /repo
in_suite()
{
    local suite=$1 with=$2
    shift 2
    mkdir -p build/repo
    tests/chroot --fresh --with "$with" --bind "$top/build/deb/$suite:/debs" --bind "$top/build/repo:/repo" \
        --bind "$top/tests:/simplefs/tests" "$suite" "$@"
}
