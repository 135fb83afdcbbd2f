# SPDX-License-Identifier: GPL-2.0-only
# dpkg makes a system on the volume, of the packages on the third disk; changes and removes some of it.
. /run/guest/lib.sh
use
mkdir -p /debs && mount -t simplefs -o ro /dev/ubdc /debs || exit 1
debs=(/debs/*.deb)
[ "${#debs[@]}" -ge 50 ]
ok $? "${#debs[@]} packages"
cd /vol || exit 1
mkdir -p usr/bin usr/lib usr/lib64 usr/sbin var/lib/dpkg dev proc
for dir in bin sbin lib lib64; do ln -s usr/$dir $dir; done
: >var/lib/dpkg/status
for deb in "${debs[@]}"; do dpkg-deb --fsys-tarfile "$deb" | tar -xf - --keep-directory-symlink || break; done
ok $? "extracted"
mknod -m 666 dev/null c 1 3
cat >usr/sbin/policy-rc.d <<'P' && chmod 755 usr/sbin/policy-rc.d
#!/bin/sh
exit 101
P
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
does "unpacked" dpkg --root=/vol --force-depends --force-confnew --unpack "${debs[@]}"
does "configured" dpkg --root=/vol --force-depends --configure -a
fresh
is "$(dpkg --root=/vol -V 2>&1)" '' 'dpkg -V has nothing to say'
is "$(dpkg-query --admindir=/vol/var/lib/dpkg -W -f '${db:Status-Abbrev}\n' | sort | uniq -c | tr -s ' ')" " ${#debs[@]} ii " 'all are installed'
does "all of it once more, over itself" dpkg --root=/vol --force-depends --force-confnew -i "${debs[@]}"
is "$(dpkg --root=/vol -V 2>&1)" '' 'dpkg -V has nothing to say'
is "$(find /vol -name '*.dpkg-new' -o -name '*.dpkg-tmp' | wc -l)" 0 'nothing is left over'
does "audit" dpkg --root=/vol --audit
used=$(stat -f -c %f /vol)
for deb in "${debs[@]}"; do
    name=$(dpkg-deb -f "$deb" Package)
    case $(dpkg-deb -f "$deb" Essential) in yes) continue ;; esac
    case $name in lib* | dpkg | debconf | perl-base | *-base) continue ;; esac
    dpkg --root=/vol --force-depends --purge "$name" >/tmp/said 2>&1 || { ok 1 "purge $name"; sed 's/^/# /' /tmp/said; }
done
is "$(dpkg --root=/vol -V 2>&1 | head -n 5)" '' 'dpkg -V has nothing to say'
[ "$(stat -f -c %f /vol)" -gt "$used" ]
ok $? 'and there is more room'
umount /debs
over
