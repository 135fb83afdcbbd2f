# SPDX-License-Identifier: GPL-2.0-only
# A name has the wrong type.
edit type /dir link 4
