# SPDX-License-Identifier: GPL-2.0-only
# The root says that it is a file.
build/image/damage "$img" inode / i_mode 0x81a4
