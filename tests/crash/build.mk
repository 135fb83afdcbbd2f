# SPDX-License-Identifier: GPL-2.0-only
# What the crash tests are made of, and the long run of them.
build/crash/replay-log: build/obj/tests/crash/replay-log.o build/obj/tests/crash/judge.o build/lib/libsimplefs.a
build/crash/nbd-log: build/obj/tests/crash/nbd-log.o
build/crash/replay-log build/crash/nbd-log:
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
build/crash/ops: tests/crash/ops.c tests/crash/model.h
	@mkdir -p $(@D)
	$(CC) $(sfs-cflags) -O2 -static -o $@ $<

.PHONY: crash-bins check-crash
crash-bins: build/crash/replay-log build/crash/nbd-log build/crash/ops
check-crash:
	@tests/setup --check
	CRASH_OPS=1500 CRASH_EVERY=1 tests/run $(sort $(wildcard tests/crash/*.t))
