#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The hostile volumes of tests/vm/26-hostile-fields.t, given to every tool that reads a volume: each
# ends, with a status it documents and a word on what is wrong, and none writes where it should not.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
. tests/vm/hostile-image.sh
make_hostile
run tests/cli/hostile-tools.py "$tmp/image" "$tmp/cases" "$tmp"
exits 0 "all tools on all of them: $(tail -n 1 <<<"$out")"
done_testing
