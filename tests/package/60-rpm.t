#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The RPM packages: built and looked at. What a Debian system can tell of them: Fedora's macros, brp
# scripts, kernels and SELinux are not tried.
# shellcheck source=tests/package/rpm.sh
. "$(dirname "$0")/rpm.sh"

build 1 .
run rpmlint -c rpm/rpmlint.toml "$rpms"/1/*.rpm "$tmp/build/SPECS/simplefs.spec" "$tmp"/build/SRPMS/*.rpm
exits 0 'rpmlint'
like ' 0 errors, 0 warnings' 'has nothing to say' || diag "$out"
run rpm -qp --qf '%{NAME} %{VERSION} %{ARCH}\n' "$rpms"/1/*.rpm
arch=$(rpm --eval '%{_target_cpu}')
want="dkms-simplefs $version noarch
kmodleak $version $arch
simplefs $version $arch
simplefs-selftest $version $arch"
is "$(LC_ALL=C sort <<<"$out")" "$want" 'the packages, their version and architecture'
run rpm -qp --scripts --triggers "$rpms"/1/*.rpm
unlike '%[{a-z]|%\(' 'no macro is left in a scriptlet' || diag "$out"
is "$(grep -c '^exit 0$' <<<"$out")" "$(grep -c 'scriptlet (using' <<<"$out")" 'and each scriptlet ends well'
run rpm -qpl "$rpms"/1/*.rpm
for file in /usr/sbin/kmodleak /usr/lib/udev/simplefs_id /usr/lib/udev/rules.d/63-simplefs.rules /usr/sbin/mkfs.simplefs \
    /usr/share/man/man5/simplefs.5.gz /usr/share/bash-completion/completions/dump.simplefs \
    /usr/lib/dracut/modules.d/90simplefs/module-setup.sh /usr/lib/systemd/system/simplefs-selftest.service \
    "/usr/src/simplefs-$version-1/dkms.conf" "/usr/src/simplefs-$version-1/kernel/mount.c"; do
    grep -qxF "$file" <<<"$out"
    ok $? "there is $file"
done
is "$(sed 's|^.*/.build-id.*||' <<<"$out" | sort | uniq -d | grep -v '^$')" '' 'no file is in two packages'
is "$(cd "$tmp" && rpm2cpio "$rpms"/1/dkms-*.rpm | cpio -i --quiet --to-stdout '*/dkms.conf' | sed -n 's/^PACKAGE_VERSION=//p')" \
    "\"$version-1\"" 'dkms is told version and release'

done_testing
