# SPDX-License-Identifier: GPL-2.0-only
# Whole Debian systems in QEMU under software emulation: how to make the disks, boot and listen.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cache=${SIMPLEFS_CACHE:-${HOME:-/root}/.cache/simplefs}/systems
kept=build/check/systems
version=$(cat src/VERSION)
mkdir -p "$kept"
ran='' fresh=yes
userland=apt-utils,ccache,cryptsetup-bin,dbus,dmsetup,e2fsprogs,fdisk,gcc,initramfs-tools,kmod,libpam-systemd,lvm2,make,mdadm,mount,systemd-sysv,udev,zstd

# base SUITE: the system without simplefs, made once for what the packages depend on; $base is its folder,
# which stays as long as this test lives
base()
{
    local suite=$1 key new old
    key=$( (tests/kernels/archive.py key "$suite" && cat tests/package/make-system && echo "$userland" &&
        for deb in build/deb/"$suite"/*.deb; do dpkg-deb -f "$deb" Depends; done) | sha256sum | cut -c 1-12)
    base=$cache/$suite-$key
    mkdir -p "$cache"
    exec 7>"$base.lock"
    flock -s 7
    [ ! -d "$base" ] || return 0
    flock 7
    [ ! -d "$base" ] || { flock -s 7; return 0; }
    for old in "$cache/$suite"-*.lock; do
        [ "$old" = "$base.lock" ] || (flock -n 8 && rm -rf "${old%.lock}") 8>"$old"
    done
    new=$cache/.new-$suite-$key
    rm -rf "$new"
    mkdir "$new"
    tests/chroot --fresh --with "$userland" --bind "$new:/out" --bind "$top/build/deb/$suite:/debs" \
        --bind "$top/tests:/simplefs/tests" "$suite" /simplefs/tests/package/make-system "$suite" >&2 || exit 1
    mv "$new" "$base"
    flock -s 7
}

# compiled SUITE TO: what the compiler makes of this very module, kept in $cache/SUITE.ccache and copied
compiled()
{
    local suite=$1 dir=$cache/$1.ccache stamp
    stamp=$dir/$( (echo "$base" && cat tests/package/make-cache &&
        dpkg-deb --fsys-tarfile build/deb/"$suite"/simplefs-dkms_*.deb | tar -xO ./usr/src) | sha256sum | cut -c 1-12)
    mkdir -p "$dir"
    exec 6>"$dir.lock"
    flock 6
    if [ ! -e "$stamp" ]; then
        tests/chroot --fresh --with "$userland,pahole" --bind "$dir:/ccache" --bind "$base/apt:/apt" \
            --bind "$top/build/deb/$suite:/debs" --bind "$top/tests:/simplefs/tests" \
            "$suite" /simplefs/tests/package/make-cache "$suite" >&2 || exit 1
        touch "$stamp"
    fi
    cp -r "$dir" "$2"
    flock -u 6
}

# system SUITE: the disks of a machine of one's own, in $tmp; the second has the packages and tests
system()
{
    local apt=$tmp/apt
    suite=$1
    packages "$suite"
    base "$suite"
    cp --sparse=always "$base/root.img" "$tmp/root.img"
    mkdir -p "$apt/simplefs/tests" "$apt/debian"
    cp -r "$base/apt/." tests/package tests/tap "$apt/"
    cp -r debian/tests "$apt/debian/"
    compiled "$suite" "$apt/ccache"
    mv "$apt/package" "$apt/tap" "$apt/simplefs/tests/"
    (
        export GNUPGHOME=$tmp/gnupg
        mkdir -m 700 "$GNUPGHOME"
        gpg --batch --quiet --passphrase '' --quick-generate-key 'throw-away <test@example.org>' default sign never
        debian/make-repo test@example.org "$suite"
        gpgconf --kill all
    ) >"$tmp/repo.log" 2>&1 || { cat "$tmp/repo.log"; exit 1; }
    cp -r build/repo "$apt/repo"
    printf 'suite=%s\nversion=%s\n' "$suite" "$version" >"$apt/facts"
    mke2fs -q -t ext4 -O ^has_journal -L apt -d "$apt" "$tmp/apt.img" 1536M || exit 1
    truncate -s 1G "$tmp/volume.img"
    truncate -s 256M "$tmp/spare1.img" "$tmp/spare2.img"
    rm -rf "$apt"
}

# newest_boot: the newest kernel on the machine's disk, with its initramfs, into $tmp/boot
newest_boot()
{
    local release
    release=$(debugfs -R 'ls -p /boot' "$tmp/root.img" 2>/dev/null | cut -d/ -f6 | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
    rm -rf "$tmp/boot"
    mkdir "$tmp/boot"
    debugfs -R "dump /boot/vmlinuz-$release $tmp/boot/kernel" "$tmp/root.img" 2>/dev/null
    debugfs -R "dump /boot/initrd.img-$release $tmp/boot/initrd" "$tmp/root.img" 2>/dev/null
}

# keep STAGE: with SFS_KEEP the disks, as they are before that stage, stay in build/check
keep()
{
    local disks=$kept/$suite-before-$1
    [ -n "${SFS_KEEP-}" ] || return 0
    rm -rf "$disks"
    mkdir "$disks"
    cp --sparse=always "$tmp/root.img" "$tmp/volume.img" "$disks/"
}

# restore STAGE: the disks that were kept before it, instead of what there is
restore()
{
    [ ! -d "$kept/$suite-before-$1" ] || cp --sparse=always "$kept/$suite-before-$1"/*.img "$tmp/"
}

# machine STAGES [PARAMETER]...: one boot of the newest kernel, until it powers off
machine()
{
    local stages=$1
    shift
    timeout "${SFS_SYSTEM_TIMEOUT:-14400}" qemu-system-x86_64 -nodefaults -no-reboot -display none \
        -accel tcg,thread=multi -cpu max -smp 2 -m 1536M -serial "file:$tmp/console" -serial "file:$tmp/tap" \
        -drive "file=$tmp/root.img,format=raw,if=virtio,cache=unsafe" \
        -drive "file=$tmp/apt.img,format=raw,if=virtio,cache=unsafe,readonly=on" \
        -drive "file=$tmp/volume.img,format=raw,if=virtio,cache=unsafe" \
        -drive "file=$tmp/spare1.img,format=raw,if=virtio,cache=unsafe" \
        -drive "file=$tmp/spare2.img,format=raw,if=virtio,cache=unsafe" \
        -kernel "$tmp/boot/kernel" -initrd "$tmp/boot/initrd" \
        -append "root=/dev/vda rw console=ttyS0 panic=-1 oops=panic no_timer_check tsc=reliable systemd.show_status=no quiet stage=$stages $*" \
        </dev/null >"$tmp/qemu.log" 2>&1
}

# boot STAGE... [-- PARAMETER...]: in one machine, one after the other, with more kernel parameters; the
# newest kernel until it powers off. The stages' TAP lines are ours.
# What a user would wait for minutes takes an hour on a busy machine: the limit only ends hangs.
boot()
{
    local first=$1 stages='' names
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        [[ " ${SFS_STAGES:-$1} " != *" $1 "* ]] || stages+=${stages:+,}$1
        shift
    done
    [ $# = 0 ] || shift
    # SFS_STAGES names the stages to run of all there are: the first starts from disks that were kept.
    [ -z "$ran" ] || keep "$first"
    ran=$stages
    [ -n "$stages" ] || return 0
    if [ -n "$fresh" ] && [ "$first" != install ]; then restore "$first"; fi
    fresh=''
    names=${stages//,/-}
    newest_boot
    : >"$tmp/tap"
    machine "$stages" "$@"
    is "$?" 0 "$suite: $names: the machine ended by itself"
    cp "$tmp/console" "$kept/$suite-$names.console"
    cp "$tmp/tap" "$kept/$suite-$names.tap"
    relay_tap "$suite" <"$tmp/tap" || diag "$(tail -n 20 "$tmp/console")"
    run tail -n 1 "$tmp/tap"
    like '^1\.\.[0-9]+' "$suite: $names: ran to its end"
}
