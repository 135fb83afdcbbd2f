# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own modules under kmodleak, loaded, used hard and unloaded: nothing is to be reported,
# for they are used by all the world, but what is explained in tests/leak/strangers/explained.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"
. "$(dirname "${BASH_SOURCE[0]}")/table.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
strangers=${STRANGERS:-ext4 xfs btrfs f2fs minix exfat overlay loop brd zram null_blk null_blk+poll dm_flakey 9p}

# What they are made with goes into the machine.
wanted='mke2fs mkfs.xfs mkfs.btrfs mkfs.f2fs mkfs.minix mkfs.exfat dmsetup'
PATH=$PATH:/usr/sbin:/sbin

# place MODULE...: their .ko files into $tmp/strangers; prints what they need, loaded beforehand
place()
{
    rm -rf "$tmp/strangers" && mkdir "$tmp/strangers"
    python3 - "$(tests/kernels/archive.py image "$kernel")" "$tmp/strangers" "$@" <<'EOF'
import glob, lzma, os, re, sys
tree = glob.glob(sys.argv[1] + "/lib/modules/*")[0]
def name(path):
    return re.sub(r"\.ko.*", "", os.path.basename(path)).replace("-", "_")
needs, paths = {}, {}
for line in open(tree + "/modules.dep"):
    path, _, rest = line.partition(":")
    paths[name(path)], needs[name(path)] = path, [name(p) for p in rest.split()]
loaded = set()
for module in sys.argv[3:]:
    if module not in paths:
        continue
    data = open(os.path.join(tree, paths[module]), "rb").read()
    if data[:6] == b"\xfd7zXZ\0":
        data = lzma.decompress(data)
    open(os.path.join(sys.argv[2], module + ".ko"), "wb").write(data)
    loaded.update(needs[module])
extra = {"ext4", "9pnet_virtio", "zsmalloc", "lzo_rle", "lzo", "zstd", "xxhash_generic",
         "blake2b_generic", "crc32_generic", "crc32c_generic", "nls_utf8", "nls_ascii"}
print(*sorted(m for m in loaded | extra if m in paths))
EOF
}

# boot_strangers NAME...: console in $tmp/console. "module+way" is a module used in another way.
boot_strangers()
{
    local needs args=() tool module
    needs=$(place "${@%+*}") || return 1
    for module in $needs; do args+=(--kmod "$module"); done
    for tool in $wanted; do args+=(--add "$(command -v "$tool")"); done
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o "$tmp/hammer" \
        tests/leak/strangers/hammer.c || return 1
    rm -rf "$tmp/share" && mkdir "$tmp/share"
    rm -f "$tmp/disk" && truncate -s 512M "$tmp/disk"
    # A stranger must not be there before; ext4 carries the devices of others.
    cat >"$tmp/try" <<'EOF'
for name; do
    module=${name%+*}
    [ -e "/strangers/$module.ko" ] || continue
    rmmod "$module" 2>/dev/null
    echo "=== $name"
    kmodleak "$module" -- /use "$name"
    echo "=== $name exit $?"
    [ "$module" != ext4 ] || insmod /strangers/ext4.ko
done
EOF
    tests/vm/run-vm --kernel "$kernel" --quiet --console "$tmp/console" --timeout $((600 + 300 * $#)) \
        --mem 1536M --share "$tmp/share" "${args[@]}" --disk "$tmp/disk" --add build/bin/kmodleak \
        --add "$tmp/hammer" --add tests/leak/strangers/use:/use --add "$tmp/try:/try" \
        --add "$tmp/strangers:/strangers" -- sh /try "$@" >"$tmp/boot.log" 2>&1
    status=$?
}

# explanation NAME: the functions of its true leaks on this kernel, a regular expression; or nothing
explanation()
{
    awk -v name="$1" -v kernel="$kernel" '$1 == name && ("," $2 ",") ~ ("," kernel ",") { print $3 }' \
        tests/leak/strangers/explained
}

# try_strangers: each of $strangers on $kernel
try_strangers()
{
    local name code why got
    # shellcheck disable=SC2086
    boot_strangers $strangers
    [ "$status" = 0 ]
    ok $? "$kernel: the machine is content" || diag "$(tail -n 5 "$tmp/boot.log")"
    for name in $strangers; do
        if [ ! -e "$tmp/strangers/${name%+*}.ko" ]; then
            ok 0 "$kernel: $name # SKIP it is no module of this kernel"
            row "stranger $name" clean - absent
            continue
        fi
        out=$(tr -d '\r' <"$tmp/console" | sed -n "/^=== $name\$/,/^=== $name exit/p")
        code=$(sed -n 's/^=== .* exit //p' <<<"$out")
        why=$(explanation "$name")
        got="exit ${code:-none}"
        if [ -n "$why" ]; then
            [ "$code" = 1 ] && [ -z "$(groups '' "$why")" ]
            ok $? "$kernel: $name: what leaks is reported, by $why" && row "stranger $name" "true leak" leak right &&
                continue
        else
            [ "$code" = 0 ]
            ok $? "$kernel: $name: nothing is reported" && row "stranger $name" clean clean right && continue
        fi
        diag "$(head -n 100 <<<"$out")"
        row "stranger $name" "${why:-clean}" "$got" false
    done
}
