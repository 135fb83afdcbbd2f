# SPDX-License-Identifier: GPL-2.0-only
# The fuzzers: tests/fuzz/NAME_fuzz.c, with the core and the library, under clang's libFuzzer.
CLANG ?= clang
fuzz-flags = -std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	     -fno-omit-frame-pointer -Isrc/core -Isrc/lib -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -MMD -MP \
	     -Wall -Wextra -DSIMPLEFS_VERSION='"$(SFS_VERSION)"'
fuzz-bins := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
# All of the library, but for what would want libuuid.
fuzz-srcs := $(filter-out src/lib/uuid.c,$(lib-srcs)) tests/fuzz/volume.c
fuzz-objs := $(patsubst %.c,build/fuzz/obj/%.o,$(fuzz-srcs))

.PHONY: fuzz check-fuzz
fuzz: $(fuzz-bins)
build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(fuzz-flags) $(fuzz-flags-$(*F)) -c -o $@ $<
# Half of the time would go into checksums, which have tests of their own.
fuzz-flags-hash = -O2 -fno-sanitize=all
build/fuzz/%_fuzz: build/fuzz/obj/tests/fuzz/%_fuzz.o $(fuzz-objs)
	$(CLANG) $(fuzz-flags) -fsanitize=fuzzer -o $@ $^

# Minutes for each, on what the last run left; FUZZ_SECONDS= says how many.
check-fuzz: fuzz
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) tests/run tests/fuzz/10-core.t

-include $(shell find build/fuzz -name '*.d' 2>/dev/null)
