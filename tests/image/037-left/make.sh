# SPDX-License-Identifier: GPL-2.0-only
# A file without a name is an orphan, on a volume that says it was unmounted cleanly: no mount looks.
i=$(ino /large)
edit field /large nlink 0
edit field /large flags 1
edit bit orphan $((i / 8)) 1
edit unname / large
