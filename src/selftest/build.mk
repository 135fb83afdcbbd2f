# SPDX-License-Identifier: GPL-2.0-only
# The program carries the name of the filesystem: it is run by people and by a unit, not by make.
name-selftest := simplefs-selftest
