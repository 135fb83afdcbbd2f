# SPDX-License-Identifier: GPL-2.0-only
# kmodleak's kernel half: compiled for BPF without the flags of the host's compiler (hardening has no
# meaning there), relinked to lose its debug information but for BTF, and made a header.
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
pkgs-kmodleak := libbpf libdw
kml-skel = build/gen/kmodleak.skel.h
kml-arch = $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/; s/ppc64le/powerpc/; s/riscv64/riscv/; s/s390x/s390/')
kml-objs = $(patsubst %.c,build/obj/%.o,$(call tool-srcs,kmodleak))

build/unit/ksyms: build/san/src/kmodleak/ksyms.o
$(kml-objs): CPPFLAGS += -Ibuild/gen
build/obj/src/kmodleak/tracer.o build/obj/src/kmodleak/programs.o: $(kml-skel)
build/obj/src/kmodleak/kmodleak.bpf.o: src/kmodleak/kmodleak.bpf.c $(wildcard src/kmodleak/*.bpf.h) src/kmodleak/halves.h
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Wno-unused-parameter $(WERROR) \
		-D__TARGET_ARCH_$(kml-arch) -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<
$(kml-skel): build/obj/src/kmodleak/kmodleak.bpf.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen object build/gen/kmodleak.bpf.o $<
	$(BPFTOOL) gen skeleton build/gen/kmodleak.bpf.o name kmodleak_bpf > $@
