# SPDX-License-Identifier: GPL-2.0-only
# The root says that another directory is above it.
edit field / parent "$(ino /many)"
