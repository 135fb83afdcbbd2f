# SPDX-License-Identifier: GPL-2.0-only
# A table's own tree leads out of it.
build/bin/tune.simplefs -Q prj "$img"
edit quota 2 1024 99
