# SPDX-License-Identifier: GPL-2.0-only
# Not unmounted, the journal is empty, an unlinked file is still there.
edit unname / large
edit super state 0
