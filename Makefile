# SPDX-License-Identifier: GPL-2.0-only
# Builds simplefs: the tools and their library from src/, the module through src/Kbuild, the tests.
# Everything made lands in build/. A new src/<tool>/ with C files becomes build/bin/<name>, linked
# with the library; name-<tool> and pkgs-<tool> below, or a src/<tool>/build.mk, say more.
SFS_VERSION := $(shell cat src/VERSION)
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
UDEVDIR ?= $(PREFIX)/lib/udev
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
DKMSDIR ?= /usr/src

CC     = gcc
AR     = ar
CFLAGS ?= -O2 -g
WERROR ?= -Werror
sfs-cflags = -std=gnu11 -Wall -Wextra $(WERROR) -MMD -MP -Isrc/core -Isrc/lib -D_GNU_SOURCE \
	     -D_FILE_OFFSET_BITS=64 -DSIMPLEFS_VERSION='"$(SFS_VERSION)"'
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# -- tools: directory -> name of the program, pkg-config packages it links
name-mkfs := mkfs.simplefs
name-fsck := fsck.simplefs
name-dump := dump.simplefs
name-tune := tune.simplefs
name-resize := resize.simplefs
pkgs-mkfs := blkid libarchive uuid
pkgs-tune := uuid
pkgs-fuse := fuse3
pkg-libs   = $(if $1,$(shell pkg-config --libs $1))
objs       = $(patsubst %.c,build/$1/%.o,$2)

tool-dirs := $(filter-out core kernel lib,$(patsubst src/%/,%,$(dir $(wildcard src/*/*.c))))
tool-dirs := $(sort $(tool-dirs))
tool-name  = $(or $(name-$1),$1)
tool-srcs  = $(filter-out %.bpf.c,$(sort $(wildcard src/$1/*.c)))
include $(wildcard src/*/build.mk udev/build.mk)
tool-bins := $(foreach t,$(tool-dirs),build/bin/$(call tool-name,$t))
lib-srcs  := $(sort $(wildcard src/core/*.c src/lib/*.c))
unit-libs := $(sort $(wildcard tests/unit/lib/*.c))
unit-srcs := $(sort $(wildcard tests/unit/*.c))
unit-bins := $(unit-srcs:tests/unit/%.c=build/unit/%)
all-pkgs  := $(sort $(foreach t,$(tool-dirs),$(pkgs-$t)))

# -- module: the release asked for, or the running kernel's, or the newest that has headers here.
# The file include/config/kernel.release will not do: Debian's holds the upstream version.
ifdef KDIR
KVER ?= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
endif
running := $(shell uname -r)
newest   = $(shell ls -d /lib/modules/*/build 2>/dev/null | cut -d/ -f4 | sort -V | tail -n 1)
KVER    ?= $(if $(wildcard /lib/modules/$(running)/build),$(running),$(newest))
KDIR    ?= /lib/modules/$(KVER)/build
mod-dir  = build/module/$(KVER)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all tools lib module unit unit-bins check check-all lint sparse cppcheck demo \
	install install-tools install-dkms clean need

all: tools module
tools: $(tool-bins)
lib: build/lib/libsimplefs.a
unit-bins: $(unit-bins)

# A missing library is one line that says what to install, not a page of compiler errors.
need:
	@test -z "$(all-pkgs)" || pkg-config --exists $(all-pkgs) || { tests/setup --check; exit 1; }

build/obj/%.o: %.c | need
	@mkdir -p $(@D)
	$(CC) $(sfs-cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

build/san/%.o: %.c | need
	@mkdir -p $(@D)
	$(CC) $(sfs-cflags) -Itests $(CPPFLAGS) -O1 -g $(SANFLAGS) -c -o $@ $<

build/lib/libsimplefs.a: $(call objs,obj,$(lib-srcs))
build/san/libsimplefs.a: $(call objs,san,$(lib-srcs))
build/lib/libsimplefs.a build/san/libsimplefs.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

# The tree is tested on a watched volume, in place of the port and of what lies beside it.
build/unit/btree build/unit/btree_damage: build/san/tests/unit/mock/mock.o
build/unit/%: build/san/tests/unit/%.o $(call objs,san,$(unit-libs)) build/san/libsimplefs.a
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

define tool-rule
build/bin/$(call tool-name,$1): $(call objs,obj,$(call tool-srcs,$1)) build/lib/libsimplefs.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(libs-$1) $$(call pkg-libs,$$(pkgs-$1)) $$(LDLIBS)
endef
$(foreach t,$(tool-dirs),$(eval $(call tool-rule,$t)))

# Kbuild writes beside its sources, so it is given a farm of links, one folder for each release.
module:
	@test -f "$(KDIR)/Makefile" || { echo "no kernel headers in $(KDIR):" \
		"apt install linux-headers-$(KVER), or give KVER= or KDIR=" >&2; exit 1; }
	@mkdir -p $(mod-dir) && find $(mod-dir) -xtype l -delete
	@cp -rsf $(addprefix $(CURDIR)/src/,Kbuild VERSION core kernel) $(mod-dir)/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(mod-dir) SFS_WERROR=y modules

unit: unit-bins
	tests/run unit
check check-all:
	@tests/setup --check
	tests/run $(if $(filter check-all,$@),--all)
lint:
	tests/lint.sh
sparse cppcheck:
	tests/run $(wildcard tests/static/*-$@.t)
demo:
	tests/setup
	tests/demo

install: install-tools install-dkms
install-tools: tools
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(BASHCOMPDIR))
	$(if $(tool-bins),install -m 755 $(tool-bins) $(DESTDIR)$(SBINDIR)/)
	$(foreach f,$(wildcard src/*/*.bash),\
		install -m 644 $f $(DESTDIR)$(BASHCOMPDIR)/$(basename $(notdir $f));)
	$(foreach f,$(wildcard man/*.[1-8]),\
		install -D -m 644 $f $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $f))/$(notdir $f);)
# What dkms needs is src/{Kbuild,VERSION,core,kernel}, with Kbuild at the root, and dkms.conf.
install-dkms: dkms-dest = $(DESTDIR)$(DKMSDIR)/simplefs-$(SFS_VERSION)
install-dkms:
	install -d $(dkms-dest)/core $(dkms-dest)/kernel
	install -m 644 src/Kbuild src/VERSION $(dkms-dest)/
	install -m 644 $(wildcard src/core/*.[ch]) $(dkms-dest)/core/
	install -m 644 $(wildcard src/kernel/*.[ch] src/kernel/*.sh) $(dkms-dest)/kernel/
	sed 's/#MODULE_VERSION#/$(SFS_VERSION)/' dkms.conf > $(dkms-dest)/dkms.conf

clean:
	rm -rf build

# The longer suites and the packages bring their own targets.
include $(wildcard tests/*/build.mk debian/build.mk rpm/build.mk)

-include $(shell find build/obj build/san -name '*.d' 2>/dev/null)
