# SPDX-License-Identifier: GPL-2.0-only
# The summary has an orphan that the map does not have.
edit summary orphan_blks 0 1
