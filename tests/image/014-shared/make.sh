# SPDX-License-Identifier: GPL-2.0-only
# Two files hold one block.
edit share /large /small 1
