# SPDX-License-Identifier: GPL-2.0-only
# A name stands in a directory twice, for two files: the second, which no other name leads to, moves.
edit twice-for /many /large
edit unname / large
