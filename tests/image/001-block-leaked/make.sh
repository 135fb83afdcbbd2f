# SPDX-License-Identifier: GPL-2.0-only
# A block that nobody holds is marked as used.
edit bit used 9000 1
