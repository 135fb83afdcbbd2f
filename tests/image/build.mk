# SPDX-License-Identifier: GPL-2.0-only
# What makes volumes untrue.
build/image/edit: build/obj/tests/image/edit.o build/lib/libsimplefs.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
