# SPDX-License-Identifier: GPL-2.0-only
# The prober under the sanitizers, for the damaged blocks that udev may hand it.
build/san/simplefs_id: build/san/udev/simplefs_id.o build/san/libsimplefs.a
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg-libs,blkid) $(LDLIBS)
