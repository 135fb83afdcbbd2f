# SPDX-License-Identifier: GPL-2.0-only
# Room for accounts that is on no list, where the kernel would look for it.
build/bin/tune.simplefs -Q prj "$img"
edit quota 2 28 0
