# SPDX-License-Identifier: GPL-2.0-only
# Stages of a machine's life: installed, rebooted, given newer kernels. The volume is /dev/vdc.
# shellcheck shell=bash disable=SC2154

stage_install()
{
    archive headers
    echo "deb [signed-by=/srv/apt/repo/simplefs.gpg] file:/srv/apt/repo $suite main" >/etc/apt/sources.list.d/simplefs.list
    apt_do update
    exits 0 "install: apt trusts the repository"
    apt_do install simplefs-dkms
    exits 0 "install: apt install simplefs-dkms"
    built "$running" "install"
    for package in simplefs-tools simplefs-selftest linux-headers-amd64; do
        is "$(dpkg-query -W -f '${Status}' $package)" "install ok installed" "install: $package came with it"
    done
    run systemctl is-enabled simplefs-selftest
    is "$out" enabled "install: the self-test's unit is enabled"
    wait_selftest
    verdict_is PASS "install: the self-test ran by itself"

    run modprobe simplefs
    exits 0 "install: modprobe simplefs"
    is "$(cat /sys/module/simplefs/version)" "$version" "install: the running module's version"
    modprobe -r simplefs

    run mkfs.simplefs -q -L data /dev/vdc
    exits 0 "install: mkfs on a disk"
    udevadm settle
    [ /dev/disk/by-label/data -ef /dev/vdc ]
    ok $? "install: udev links the volume by its label"
    uuid=$(lsblk -dno UUID /dev/vdc)
    echo "/dev/disk/by-uuid/$uuid /data simplefs defaults,nofail 0 2" >>/etc/fstab
    mkdir /data
    systemctl daemon-reload
    run mount /data
    exits 0 "install: mount by the fstab line"
    cp -a /usr/share/doc /data/
    (cd /data && find doc -type f -print0 | sort -z | xargs -0 sha256sum) >/root/sums
    cp /root/sums /data/
    [ "$(wc -l </root/sums)" -gt 20 ]
    ok $? "install: data written ($(wc -l </root/sums) files)"
}

# verdict_is WANT NAME: of the running kernel
verdict_is()
{
    run simplefs-selftest --show
    like "^verdict: $1" "$2: verdict $1"
    like "^kernel: $(literal "$running")\$" "$2: on this kernel"
}

data_is_there()
{
    run sh -c 'cd /data && sha256sum --quiet -c sums'
    exits 0 "$1: the data is there"
}

# mounted_with_data NAME: the boot mounted it, after the fsck step, and nothing has changed
mounted_with_data()
{
    local uuid unit
    systemctl is-system-running --wait >/dev/null    # nofail: nothing else waits for that mount
    is "$(findmnt -no FSTYPE /data)" simplefs "$1: mounted at boot by the fstab line"
    uuid=$(findmnt -no UUID /data)
    unit=systemd-fsck@$(systemd-escape -p "/dev/disk/by-uuid/$uuid").service
    [ "$(systemctl show -P ExecMainStartTimestampMonotonic "$unit")" != 0 ]
    ok $? "$1: the fsck step ran"
    is "$(systemctl show -P Result "$unit")/$(systemctl show -P ExecMainStatus "$unit")" success/0 "$1: and succeeded"
    run journalctl -b -o cat -u "$unit"
    unlike 'ext2|ext4|[Bb]ad magic' "$1: and was not e2fsck's"
    data_is_there "$1"
    run systemctl --failed --no-legend --plain
    is "$out" "" "$1: no unit has failed"
}

# a verdict on this kernel: the volume is in use at boot, so the unit has skipped
selftest_now()
{
    wait_selftest
    verdict_is 'SKIP\(in use\)' "$1: mounted at boot, so the self-test waits"
    umount /data && modprobe -r simplefs
    systemctl start simplefs-selftest
    wait_selftest
    verdict_is PASS "$1: self-test with the volume away"
    run mount /data
    exits 0 "$1: mounted again"
}

# next_kernel ARCHIVE NAME APT-ARGS...: image and headers as an upgrade brings them
next_kernel()
{
    local part=$1 name=$2 new
    shift 2
    archive "$part"
    apt_do install "$@" linux-image-amd64 linux-headers-amd64
    exits 0 "$name: image and headers in one run"
    new=$(find /boot -name 'vmlinuz-*' | sort -V | sed -n '$s/.*vmlinuz-//p')
    [ "$new" != "$running" ]
    ok $? "$name: $new is new"
    built "$new" "$name"
    run modprobe -S "$new" --show-depends fs-simplefs
    like 'simplefs\.ko' "$name: and modprobe would load it there"
}

stage_reboot()
{
    mounted_with_data "reboot"
    next_kernel security "kernel upgrade"
}

stage_upgraded()
{
    is "$(uname -r)" "$(find /boot -name 'vmlinuz-*' | sort -V | sed -n '$s/.*vmlinuz-//p')" "new kernel: it runs"
    is "$(cat /sys/module/simplefs/version)" "$version" "new kernel: its module is loaded"
    mounted_with_data "new kernel"
    selftest_now "new kernel"
    next_kernel backports "backports kernel"
}

stage_backports()
{
    is "$(uname -r)" "$(find /boot -name 'vmlinuz-*' | sort -V | sed -n '$s/.*vmlinuz-//p')" "backports kernel: it runs"
    mounted_with_data "backports kernel"
    selftest_now "backports kernel"
}

# The disk that a machine of the release before has written.
stage_moved()
{
    archive headers
    run modprobe simplefs
    exits 0 "volume of the former release: the module loads"
    mkdir -p /data
    run mount LABEL=data /data
    exits 0 "volume of the former release: it mounts"
    data_is_there "volume of the former release"
    run sh -c 'echo new > /data/new && sync'
    exits 0 "volume of the former release: and can be written"
    umount /data
}
