# SPDX-License-Identifier: GPL-2.0-only
# The same blocks are held by two hundred files, all of which end up with data of their own.
for i in $(seq 200); do
    edit extent "/many/a-name-of-some-length-$i" 1 "$(build/image/damage "$img" where data /large)" 5 0
    edit field "/many/a-name-of-some-length-$i" size 24576
done
