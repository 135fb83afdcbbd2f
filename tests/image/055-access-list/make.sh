# SPDX-License-Identifier: GPL-2.0-only
# What should be an access control list is none; another attribute beside it is sound.
edit attribute /large system.other 28 9
edit attribute /small system.posix_acl_access 28 9
