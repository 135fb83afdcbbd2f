# SPDX-License-Identifier: GPL-2.0-only
# What makes volumes untrue, and what makes them of a version to come.
build/image/%: build/obj/tests/image/%.o build/lib/libsimplefs.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)
build/image/edit: build/obj/tests/image/edit_tree.o
