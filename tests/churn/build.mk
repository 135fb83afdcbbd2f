# SPDX-License-Identifier: GPL-2.0-only
# The churn for an hour, on every kernel: CHURN_SECONDS=, KERNELS=, SEED= choose.
.PHONY: check-churn
check-churn:
	@tests/setup --check
	tests/run tests/churn/15-disks.slow.t tests/churn/20-long.slow.t
