# SPDX-License-Identifier: GPL-2.0-only
# What the tests that boot a machine share: the module for the kernel booted, programs, console to TAP.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"
kernel=${SFS_KERNEL:-6.1}
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
# A test of several kernels comes with kernel= and module= of its own.
if [ -z "${module-}" ]; then
    module=$(tests/vm/build-module "$kernel" 2>"$tmp/make.log")
    case $? in
    0) ;;
    3) skip_all "$(tail -n 1 "$tmp/make.log")" ;;
    *) cat "$tmp/make.log"; echo "Bail out! the module does not build for $kernel"; exit 1 ;;
    esac
fi

# program NAME [SUITE [GCC-ARGUMENT]...]: tests/SUITE/NAME.c (default vm), static, into $tmp
program()
{
    gcc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O2 -Wall -Wextra -Werror -Itests -Isrc/core \
        -static -o "$tmp/$1" "tests/${2:-vm}/$1.c" "${@:3}" || exit 1
}

# boot ARGS... -- COMMAND: the console to $tmp/console, the exit to $status. The time-out is a net
# for a machine that hangs, not a measure: software emulation on a busy host is slow.
boot()
{
    tests/vm/run-vm --kernel "$kernel" --quiet --console "$tmp/console" --timeout 900 "$@" >"$tmp/boot.log" 2>&1
    status=$?
    case $status in
    0 | 123) ;;
    12?) diag "$(tail -n 3 "$tmp/boot.log"; echo "console:"; tail -n 25 "$tmp/console" | tr -d '\r')" ;;
    *) diag "$(tail -n 3 "$tmp/boot.log")" ;;
    esac
}

# relay WHAT: the TAP lines of the console, as this test's own
relay()
{
    relay_tap "$1" <"$tmp/console"
}
