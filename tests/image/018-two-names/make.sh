# SPDX-License-Identifier: GPL-2.0-only
# A directory has two names.
edit name / again /dir/sub 4
