# SPDX-License-Identifier: GPL-2.0-only
# Debian packages, the apt repository of them, and their tests. Needs root (roots of other suites).
DEB_SUITES ?= bookworm trixie

.PHONY: deb repo check-package check-package-quick
deb:
	debian/make-deb $(DEB_SUITES)
repo: deb
	debian/make-repo "$(KEY)" $(DEB_SUITES)

# The quick one is what `make check` runs, but for both suites.
check-package-quick:
	@tests/setup --check
	SFS_SUITES="$(DEB_SUITES)" tests/run package
check-package:
	@tests/setup --check
	SFS_SUITES="$(DEB_SUITES)" tests/package/systems
