# SPDX-License-Identifier: GPL-2.0-only
# Of two attributes one has lost its end.
edit super compat 3
edit attribute /small whole 5000 9
edit attribute /dir broken 5000 4
edit recount
