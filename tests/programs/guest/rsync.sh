# SPDX-License-Identifier: GPL-2.0-only
# A tree with all that a tree may have goes to the volume and comes back, and rsync sees no difference.
. /run/guest/lib.sh
use
mkdir /vol/from && cd /vol/from || exit 1
cp -a /usr/share/perl /usr/share/git-core /etc . 2>/dev/null
mkdir odd && cd odd || exit 1
for n in $(seq 400); do echo "$n" >file$n; ln file$n "link of $n"; done
truncate -s 1G sparse && for at in 0 77 500 1023; do echo data | dd of=sparse bs=1M seek=$at conv=notrunc status=none; done
setfacl -m u:daemon:rwx,g:games:r file1 && mkdir acl && setfacl -d -m u:daemon:rwx acl && touch acl/inherits
setfattr -n user.small -v value file2
head -c 60000 /dev/urandom | base64 -w0 | head -c 64000 >/tmp/large && setfattr -n user.large -v "$(cat /tmp/large)" file3
setfattr -n trusted.kept -v secret file4
setcap cap_net_raw+ep file5
mkfifo fifo && mknod device c 1 3 && mknod block b 7 200 && ln -s nowhere dangling
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
touch -d '1902-03-04 05:06:07.123456789' old && touch -d '2200-01-02 03:04:05.987654321' future
chown 4000000000:4000000001 file6 && chmod 6751 file6 && chmod 1777 .
touch "$(printf 'new\nline')" "$(printf '\377\376')" "$(printf '%0255d' 7)"
cd / && mkdir /vol/to /back
does "there" rsync -aHAXS /vol/from/ /vol/to/
fresh
is "$(rsync -aHAXSnic --delete /vol/from/ /vol/to/ 2>&1)" '' 'nothing is left to do, by content'
does "to another volume" rsync -aHAXS /vol/to/ /back/
is "$(rsync -aHAXSnic --delete /back/ /vol/from/ 2>&1)" '' 'and nothing there'
[ "$(cd /vol/from/odd && getfattr -dm - -R . | grep -c =)" -ge 6 ]
ok $? 'there are attributes'
is "$(cd /vol/from/odd && getfattr -dm - -R . | sort | md5sum)" "$(cd /back/odd && getfattr -dm - -R . | sort | md5sum)" 'the same attributes'
[ "$(stat -c %b /vol/to/odd/sparse)" -lt 1000 ]
ok $? 'what is sparse stays so'
is "$(stat -c %h /back/odd/file9 /back/odd/acl)" $'2\n2' 'links are counted'
for tree in /vol/from /vol/to /back; do
    is "$(stat -c %y $tree/odd/old $tree/odd/future | cut -c 1-29)" $'1902-03-04 05:06:07.123456789\n2200-01-02 03:04:05.987654321' \
        "$tree: times of other centuries, to the nanosecond"
done
over
