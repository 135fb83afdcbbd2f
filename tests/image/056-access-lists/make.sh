# SPDX-License-Identifier: GPL-2.0-only
# One that is to be inherited, too large for an inode: no number of entries is as long as that.
edit attribute /dir system.posix_acl_default 5001 9
edit recount
