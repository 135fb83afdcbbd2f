# SPDX-License-Identifier: GPL-2.0-only
# An error was recorded, and nothing is wrong any more.
edit super state 3
