# SPDX-License-Identifier: GPL-2.0-only
# The module on every kernel of tests/kernels/list, and against the newest headers there are.
.PHONY: check-kernels check-newest
check-kernels:
	@tests/setup --check
	@tests/run tests/kernels/05-gone.slow.t tests/kernels/10-matrix.slow.t; status=$$?; cat build/check/kernels.txt; exit $$status
check-newest:
	@tests/setup --check
	V=1 tests/run tests/kernels/20-newest.slow.t
