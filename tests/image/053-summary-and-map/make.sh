# SPDX-License-Identifier: GPL-2.0-only
# The summary is damaged, and so is a map.
edit rot 130
edit rot 1
