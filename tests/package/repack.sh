# SPDX-License-Identifier: GPL-2.0-only
# Other versions of the dkms package, for upgrades that go well and such that do not.
# shellcheck shell=bash disable=SC2154

# repack FILE VERSION COMMAND...: the package as VERSION, its source changed by COMMAND in that folder;
# becomes $tmp/simplefs-dkms_VERSION.deb
repack()
{
    local file=$1 v=$2 d=$tmp/repack
    shift 2
    rm -rf "$d"
    dpkg-deb -R "$file" "$d"
    mv "$d"/usr/src/simplefs-* "$d/usr/src/simplefs-$v"
    echo "$v" >"$d/usr/src/simplefs-$v/VERSION"
    sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$v\"/" "$d/usr/src/simplefs-$v/dkms.conf"
    sed -i "s/^DKMS_VERSION=.*/DKMS_VERSION=$v/" "$d/DEBIAN/postinst" "$d/DEBIAN/prerm"
    sed -i "s/^Version: .*/Version: $v-1/" "$d/DEBIAN/control"
    rm -f "$d/DEBIAN/md5sums"
    (cd "$d/usr/src/simplefs-$v" && "$@")
    dpkg-deb -b "$d" "$tmp/simplefs-dkms_$v.deb" >/dev/null
    chmod 755 "$tmp"
}

# A COMMAND for repack: the source does not compile any more.
break_source()
{
    echo '#error "this kernel is not known"' >>kernel/mount.c
}
