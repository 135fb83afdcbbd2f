# SPDX-License-Identifier: GPL-2.0-only
# Binary and source RPMs into build/rpm/.
.PHONY: rpm
rpm:
	rpm/make-rpm build/rpm
