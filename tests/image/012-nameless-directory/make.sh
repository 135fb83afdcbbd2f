# SPDX-License-Identifier: GPL-2.0-only
# The name of a directory with something in it is gone.
edit unname / dir
