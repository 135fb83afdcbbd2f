# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# For tests of damaged volumes: $img is damaged, $tmp/base is what it was made from.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
img=$tmp/img
seed=${SEED:-1}

# program NAME...: made, with the tools
program()
{
    make -s tools "${@/#/build/image/}" >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
}

damage()
{
    build/image/damage "$img" "$@"
}

# blk WHAT PATH: where it is
blk()
{
    build/image/damage "$tmp/base" where "$1" "$2"
}
