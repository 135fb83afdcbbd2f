# SPDX-License-Identifier: GPL-2.0-only
.PHONY: check-programs
check-programs:
	@tests/setup --check
	@tests/run $(sort $(wildcard tests/programs/*.slow.t))
