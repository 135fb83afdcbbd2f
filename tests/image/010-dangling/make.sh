# SPDX-License-Identifier: GPL-2.0-only
# A name leads to an inode that is not in use.
edit name / ghost 8000000 8
