# SPDX-License-Identifier: GPL-2.0-only
# The last name of a file is gone.
edit unname / large
