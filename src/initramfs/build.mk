# SPDX-License-Identifier: GPL-2.0-only
# For both makers of initial RAM disks; each hook is inert until an administrator asks for it.
INITRAMFSDIR ?= $(PREFIX)/share/initramfs-tools/hooks
DRACUTDIR ?= $(PREFIX)/lib/dracut/modules.d

.PHONY: install-initramfs
install-tools: install-initramfs
install-initramfs:
	install -D -m 755 src/initramfs/hook $(DESTDIR)$(INITRAMFSDIR)/simplefs
	install -D -m 755 src/initramfs/module-setup.sh $(DESTDIR)$(DRACUTDIR)/90simplefs/module-setup.sh
