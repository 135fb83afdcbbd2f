# SPDX-License-Identifier: GPL-2.0-only
# The summary of the zone is damaged.
edit rot 130
