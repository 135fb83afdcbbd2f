# SPDX-License-Identifier: GPL-2.0-only
# A file is half cut: what is behind its size goes.
edit field /large size 5000
edit mark /
edit super state 0
