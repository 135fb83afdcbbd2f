# SPDX-License-Identifier: GPL-2.0-only
# The corpus on every kernel, and the table of what became of it. KERNELS= chooses.
.PHONY: check-leaks
check-leaks:
	@tests/setup --check
	@rm -f build/leak/table
	tests/run $(sort $(wildcard tests/leak/*.t)); status=$$?; \
		tests/leak/show-table build/leak/table && exit $$status
