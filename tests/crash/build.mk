# SPDX-License-Identifier: GPL-2.0-only
# What the crash tests are made of, and the long run of them.
build/crash/replay-log: $(patsubst %,build/obj/tests/crash/%.o,replay-log judge judge_crowd judge_wide) build/lib/libsimplefs.a
build/crash/nbd-log: build/obj/tests/crash/nbd-log.o
build/crash/replay-log build/crash/nbd-log:
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
build/crash/ops: tests/crash/ops.c tests/crash/ops_crowd.c tests/crash/ops_wide.c \
		$(wildcard tests/crash/*.h)
	@mkdir -p $(@D)
	$(CC) $(sfs-cflags) -O2 -static -o $@ $(filter %.c,$^)

.PHONY: crash-bins check-crash
crash-bins: build/crash/replay-log build/crash/nbd-log build/crash/ops
check-crash:
	@tests/setup --check
	CRASH_OPS=1500 CRASH_EVERY=1 tests/run \
		$(filter-out %-crowd.t %-crowd.slow.t %-wide.t %-wide.slow.t,$(sort $(wildcard tests/crash/*.t)))
	CRASH_SEEDS="1 2" CRASH_OPS=300 CRASH_EVERY=1 tests/run $(sort $(wildcard tests/crash/6*-wide*.t))
	for kernel in 6.1 7.3; do \
		SFS_KERNEL=$$kernel CRASH_SEEDS="1 2 3" CRASH_OPS=300 CRASH_EVERY=2 \
			tests/run tests/crash/5*-crowd*.t || exit 1; \
	done
