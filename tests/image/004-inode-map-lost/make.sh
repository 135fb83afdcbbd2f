# SPDX-License-Identifier: GPL-2.0-only
# The inode map cannot be read: nothing else says where inodes are.
edit rot 33
