# SPDX-License-Identifier: GPL-2.0-only
# An attribute, and no feature speaks of attributes.
edit super compat 3
edit attribute /small name 5 9
edit super compat 1
