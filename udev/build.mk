# SPDX-License-Identifier: GPL-2.0-only
# The prober that udev's rule starts, and the rule. udev looks for a program named without its path
# in the system's own folder alone, so that anywhere else the rule must say the path.
udev-own = $(filter /lib/udev /usr/lib/udev,$(UDEVDIR))

tools: build/bin/simplefs_id
build/bin/simplefs_id: build/obj/udev/simplefs_id.o build/lib/libsimplefs.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg-libs,blkid) $(LDLIBS)

.PHONY: install-udev
install-tools: install-udev
install-udev: tools
	install -d $(DESTDIR)$(UDEVDIR)/rules.d
	install -m 755 build/bin/simplefs_id $(DESTDIR)$(UDEVDIR)/
	sed 's,"simplefs_id ,"$(if $(udev-own),,$(UDEVDIR)/)simplefs_id ,' udev/63-simplefs.rules | \
		install -m 644 /dev/stdin $(DESTDIR)$(UDEVDIR)/rules.d/63-simplefs.rules
