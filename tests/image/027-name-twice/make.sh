# SPDX-License-Identifier: GPL-2.0-only
# A name stands in a directory twice: only the first can be found, and removed.
edit twice /many
