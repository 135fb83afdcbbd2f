# SPDX-License-Identifier: GPL-2.0-only
# The program carries the name of the filesystem: it is run by people and by a unit, not by make.
name-selftest := simplefs-selftest
UNITDIR ?= $(PREFIX)/lib/systemd/system

build/unit/kmsg: build/san/src/selftest/machine.o build/san/src/selftest/tool.o build/san/src/selftest/verdict.o

.PHONY: install-selftest-unit
install-tools: install-selftest-unit
install-selftest-unit:
	install -d $(DESTDIR)$(UNITDIR)
	sed 's,/usr/sbin/simplefs-selftest,$(SBINDIR)/simplefs-selftest,' src/selftest/simplefs-selftest.service \
		> $(DESTDIR)$(UNITDIR)/simplefs-selftest.service
	chmod 644 $(DESTDIR)$(UNITDIR)/simplefs-selftest.service
