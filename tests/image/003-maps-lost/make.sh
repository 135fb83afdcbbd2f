# SPDX-License-Identifier: GPL-2.0-only
# The used, room and orphan maps cannot be read.
edit rot 1
edit rot 65
edit rot 97
