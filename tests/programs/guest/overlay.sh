# SPDX-License-Identifier: GPL-2.0-only
# Overlays whose upper layer, or both, are on the volume: what container engines do, and what overlayfs can be
# asked for.
. /run/guest/lib.sh
use
mkdir -p /vol/{lower,upper,work,merged,middle}
cp -a /etc /usr/share/perl5 /vol/lower/
cd /vol/lower || exit 1
mkdir -p dir/sub && echo one >dir/one && echo two >dir/sub/two && ln dir/one dir/hard && ln -s one dir/soft
setfattr -n user.note -v kept dir/one && setfattr -n trusted.note -v kept dir/one && setfacl -m u:daemon:rw dir/one
head -c 3000000 /dev/urandom >large && touch gone whole
chown 1234:2345 dir/sub/two && chmod 4755 dir/sub/two
cd / || exit 1
before=$(cd /vol/lower && find . -printf '%P %y %m %U %G %s %T@ %l\n' | sort | md5sum)

# over OPTIONS: mounted
lay()
{
    mount -t overlay overlay -o "lowerdir=${lowerdir:-/vol/lower},upperdir=/vol/upper,workdir=/vol/work${1:+,$1}" /vol/merged
    ok $? "overlay ${1:-as it is}"
}
# layered OPTIONS [xattr of copies that have no data]
layered()
{
    local what=${1:-plain} m=/vol/merged
    rm -rf /vol/upper /vol/work && mkdir /vol/upper /vol/work
    dmesg -C
    lay "$1" || return
    echo more >>$m/dir/one
    is "$(cat $m/dir/one)" $'one\nmore' "$what: copied up and appended to"
    is "$(getfattr --only-values -n user.note $m/dir/one)" kept "$what: with its attribute"
    is "$(getfacl -c $m/dir/one 2>/dev/null | grep daemon)" 'user:daemon:rw-' "$what: and its list"
    is "$(stat -c '%u %g %a' $m/dir/sub/two)" '1234 2345 4755' "$what: owner and mode"
    rm $m/gone && rm -rf $m/perl5 && mkdir $m/perl5 && touch $m/perl5/new
    is "$(ls $m/perl5)" new "$what: an opaque folder"
    is "$(stat -c '%F %t %T' /vol/upper/gone)" 'character special file 0 0' "$what: a whiteout"
    chmod 600 $m/large
    case $1 in
    *metacopy=on*) is "$(stat -c %b /vol/upper/large)" 0 "$what: a copy has no data yet" ;;
    *) [ "$(stat -c %b /vol/upper/large)" -gt 5000 ]; ok $? "$what: the copy has its data" ;;
    esac
    is "$(md5sum <$m/large)" "$(md5sum </vol/lower/large)" "$what: which reads right"
    case $1 in
    *redirect_dir=on*)
        mv $m/dir $m/moved && echo three >$m/moved/three
        is "$(cat $m/moved/sub/two $m/moved/three)" $'two\nthree' "$what: a folder of below, renamed"
        ;;
    *)
        fails "$what: a folder of below stays where it is" python3 -c "import os; os.rename('$m/dir', '$m/moved')"
        cp -a $m/dir $m/moved && rm -rf $m/dir && echo three >$m/moved/three
        ;;
    esac
    ino=$(stat -c %i $m/whole)
    echo up >$m/whole
    is "$(stat -c %i $m/whole)" "$ino" "$what: copying up keeps the number"
    touch $m/tmp && mv $m/tmp $m/whole && echo exchanged >$m/x
    python3 - $m <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
m = sys.argv[1].encode()
sys.exit(libc.renameat2(-100, m + b"/x", -100, m + b"/whole", 2) and 1)
P
    ok $? "$what: names exchanged"
    fd=$(python3 - $m <<'P'
import os, sys
fd = os.open(sys.argv[1], os.O_TMPFILE | os.O_RDWR)
os.write(fd, b"nameless")
os.link("/proc/self/fd/%d" % fd, sys.argv[1] + "/named", src_dir_fd=fd, follow_symlinks=True)
print(open(sys.argv[1] + "/named").read())
P
)
    is "$fd" nameless "$what: a file without a name gets one"
    said=$(cd $m && find . -type f -exec md5sum {} + | sort)
    umount $m && fresh && lay "$1"
    is "$(cd $m && find . -type f -exec md5sum {} + | sort)" "$said" "$what: the same after mounting both again"
    umount $m
    is "$(cd /vol/lower && find . -printf '%P %y %m %U %G %s %T@ %l\n' | sort | md5sum)" "$before" "$what: below nothing has changed"
    is "$(dmesg | grep -i overlayfs | grep -Ei 'not support|fall|failed|error' || :)" '' "$what: overlayfs misses nothing"
}
layered ''
layered redirect_dir=on
layered redirect_dir=on,metacopy=on
layered xino=on
layered index=on,nfs_export=on
layered redirect_dir=on,metacopy=on,index=on

# Three layers, of which the middle one has been an upper.
rm -rf /vol/middle && mv /vol/upper /vol/middle && mkdir /vol/upper && rm -rf /vol/work && mkdir /vol/work
lowerdir=/vol/middle:/vol/lower lay redirect_dir=on,metacopy=on
is "$(ls /vol/merged/perl5)" new "three layers: what was opaque is"
fails "three layers: what was whited out is not" test -e /vol/merged/gone
umount /vol/merged

# As somebody without rights, in a namespace of his own.
rm -rf /vol/upper /vol/work && mkdir -p /vol/own/{lower,upper,work,merged} && echo low >/vol/own/lower/file &&
    mkdir /vol/own/lower/dir && touch /vol/own/lower/dir/a && chown -R 1000:1000 /vol/own
setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urm bash -c '
    cd /vol/own && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged &&
    echo up >>merged/file && rm -r merged/dir && mkdir merged/dir && touch merged/dir/b && rm merged/dir/b &&
    [ "$(cat merged/file)" = "low
up" ] && [ -z "$(ls merged/dir)" ]'
ok $? "in a user namespace, userxattr"
is "$(getfattr --only-values -n user.overlay.opaque /vol/own/upper/dir 2>/dev/null)" y "with an opaque folder by user.overlay"
over
