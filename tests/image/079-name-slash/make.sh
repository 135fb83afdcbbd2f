# SPDX-License-Identifier: GPL-2.0-only
# A name with a slash: it alone goes, and what it named to lost+found.
build/image/damage "$img" name /many a-name-of-some-length-15 slash
