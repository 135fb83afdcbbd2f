# SPDX-License-Identifier: GPL-2.0-only
.PHONY: check-debug
check-debug:
	@tests/setup --check
	@tests/run tests/debug/*.slow.t; status=$$?; tests/debug/summary; exit $$status
