# SPDX-License-Identifier: GPL-2.0-only
# Stages that change the packages under a mounted volume, and one of a kernel that wants signatures.
# shellcheck shell=bash disable=SC2154

loaded_version()
{
    cat /sys/module/simplefs/version
}

reload()
{
    umount /data && modprobe -r simplefs
    run mount /data
    exits 0 "$1: unmounted, reloaded, mounted"
}

stage_packages()
{
    local real
    real=$(echo /srv/apt/repo/pool/"$suite"/simplefs-dkms_*.deb)
    is "$(findmnt -no FSTYPE /data)" simplefs "packages: the volume is mounted"
    apt_do update

    repack "$real" 99.1 true
    apt_do install "$tmp/simplefs-dkms_99.1.deb"
    exits 0 "upgrade while mounted: apt succeeds"
    is "$(modinfo -F version simplefs)" 99.1 "upgrade while mounted: the new module is on disk"
    is "$(loaded_version)" "$version" "upgrade while mounted: the old one goes on in memory"
    data_is_there "upgrade while mounted"
    reload "upgrade"
    is "$(loaded_version)" 99.1 "upgrade: now the new one runs"
    data_is_there "upgrade"

    apt_do --allow-downgrades install "simplefs-dkms=$(dpkg-deb -f "$real" Version)"
    exits 0 "downgrade while mounted, as told: apt succeeds"
    reload "downgrade"
    is "$(loaded_version)" "$version" "downgrade: the older one runs"
    data_is_there "downgrade"

    apt_do purge 'simplefs-*' kmodleak
    exits 0 "purge while mounted: apt succeeds"
    data_is_there "purge while mounted"
    umount /data && rmmod simplefs
    run modprobe simplefs
    exits 1 "purge: no module any more"
    is "$(find /etc /lib /usr /var/lib -xdev -path '*simplefs*' ! -path '/var/lib/apt/*' ! -path '/etc/apt/*')" "" \
        "purge: nothing is left"

    apt_do install simplefs-dkms
    exits 0 "reinstall: apt succeeds"
    built "$running" "reinstall"
    wait_selftest
    verdict_is PASS "reinstall: the self-test ran again"
    run mount /data
    exits 0 "reinstall: the fstab line mounts again"
    data_is_there "reinstall"
    run dpkg --audit
    is "$out" "" "packages: nothing is half-installed"
}

# No headers, then headers; a module that does not build while the old one is mounted, and the way out.
stage_trouble()
{
    local real
    real=$(echo /srv/apt/repo/pool/"$suite"/simplefs-dkms_*.deb)
    apt_do update
    umount /data && modprobe -r simplefs
    apt_do purge simplefs-dkms linux-headers-amd64 "linux-headers-$running"
    exits 0 "no headers: apt purge"
    apt_do --no-install-recommends install simplefs-dkms
    exits 0 "no headers: apt succeeds all the same"
    run dkms status -m simplefs
    like "^simplefs/$version: added\$" "no headers: dkms waits for them"
    run mount /data
    exits 32 "no headers: mount fails"
    like "unknown filesystem type 'simplefs'" "no headers: and says why"
    apt_do install linux-headers-amd64
    exits 0 "headers later: apt succeeds"
    built "$running" "headers later"
    run mount /data
    exits 0 "headers later: the fstab line mounts again"
    data_is_there "headers later"

    # 99.1 again: that is what the compiler cache knows.
    repack "$real" 99.1 break_source
    apt_do install "$tmp/simplefs-dkms_99.1.deb"
    exits 100 "module that does not build: apt says so"
    like 'module could not be built' "module that does not build: what happened"
    like 'apt remove simplefs-dkms' "module that does not build: and what to do"
    data_is_there "module that does not build: the volume stays mounted"
    run sh -c 'echo more >/data/more && sync'
    exits 0 "module that does not build: and can be written"
    apt_do install --reinstall simplefs-tools
    is "$(dpkg-query -W -f '${Status}' simplefs-tools)" "install ok installed" "module that does not build: other packages can be installed"
    apt_do remove simplefs-dkms
    exits 0 "module that does not build: apt remove, as it says"
    run dpkg --audit
    is "$out" "" "module that does not build: apt is whole again"
    apt_do install "simplefs-dkms=$(dpkg-deb -f "$real" Version)"
    exits 0 "module that does not build: a good package heals it"
    built "$running" "healed"
    reload "healed"
    data_is_there "healed"
}

# What a machine with Secure Boot does to a module whose key is not enrolled.
stage_enforce()
{
    local readme=/usr/share/doc/simplefs-dkms/README.Debian
    run modprobe simplefs
    exits 1 "signatures enforced: the module does not load"
    like 'Key was rejected by service' "signatures enforced: and says why"
    grep -q "could not insert 'simplefs': Key was rejected by service" $readme
    ok $? "signatures enforced: in the words of README.Debian"
    [ -s /var/lib/dkms/mok.pub ] && grep -q 'mokutil --import /var/lib/dkms/mok.pub' $readme
    ok $? "signatures enforced: the key to enrol is where README.Debian says"
    is "$(systemctl is-active local-fs.target)" active "signatures enforced: the machine has booted all the same (nofail)"
    rm -f "/var/lib/simplefs/selftest/$running.verdict"
    systemctl start simplefs-selftest
    wait_selftest
    verdict_is 'SKIP\(module signature refused\)' "signatures enforced: the self-test knows"
}

# The package's own tests, as autopkgtest would run them in a machine.
stage_autopkgtest()
{
    local test
    umount /data && modprobe -r simplefs
    for test in $(sed -n 's/^Tests: //p' /srv/apt/debian/tests/control); do
        mkdir "$tmp/$test"
        run env AUTOPKGTEST_TMP="$tmp/$test" /srv/apt/debian/tests/$test
        exits 0 "autopkgtest: $test"
    done
    run mount /data
    exits 0 "autopkgtest: the volume is mounted again"
}
