# SPDX-License-Identifier: GPL-2.0-only
# Eight levels of nodes, each of which names the next 253 times: not to be walked as often as that.
edit tower /large
timeout 60 build/bin/dump.simplefs -t /large "$img" >/dev/null 2>&1 || [ $? = 4 ]
