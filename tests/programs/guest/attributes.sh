# SPDX-License-Identifier: GPL-2.0-only
# What Samba keeps in attributes, in Samba's sizes, on files and folders, through renames, copies and remounts.
. /run/guest/lib.sh
use
cat >/tmp/samba.py <<'P'
import errno, os, sys
top = "/vol/share"
NTACL = "security.NTACL"
SIZES = (1, 300, 508, 1024, 4000, 4096, 16384, 65535, 65536)


def value(n, size):
    return bytes((n * 31 + i * 7) % 251 for i in range(size))


def files():
    for n, size in enumerate(SIZES):
        yield n, size, "%s/file%d" % (top, n)
        yield n + 100, size, "%s/dir%d" % (top, n)


def make():
    os.mkdir(top)
    for n, size, path in files():
        if "/dir" in path:
            os.mkdir(path)
        else:
            open(path, "w").write(path)
        os.setxattr(path, "user.DOSATTRIB", b"0x%x\0" % n + value(n, 60))
        os.setxattr(path, NTACL, value(n + 1, 100))
        os.setxattr(path, NTACL, value(n, size), os.XATTR_REPLACE)
        for i in range(12):
            os.setxattr(path, "user.DosStream.stream %d:$DATA" % i, value(i, 200 * i))


def look():
    for n, size, path in files():
        if os.getxattr(path, NTACL) != value(n, size):
            sys.exit(path + ": the list is another")
        if os.getxattr(path, "user.DOSATTRIB") != b"0x%x\0" % n + value(n, 60):
            sys.exit(path + ": DOSATTRIB is another")
        names = sorted(os.listxattr(path))
        want = sorted([NTACL, "user.DOSATTRIB"] + ["user.DosStream.stream %d:$DATA" % i for i in range(12)])
        if names != want:
            sys.exit("%s: %s" % (path, names))
        for i in range(12):
            if os.getxattr(path, "user.DosStream.stream %d:$DATA" % i) != value(i, 200 * i):
                sys.exit(path + ": a stream is another")


def refuse():
    path = top + "/file0"
    for name, size, flags, want in ((NTACL, 65537, 0, errno.E2BIG), (NTACL, 5, os.XATTR_CREATE, errno.EEXIST),
                                    ("user.none", 5, os.XATTR_REPLACE, errno.ENODATA),
                                    ("user." + "x" * 251, 5, 0, errno.ERANGE),
                                    ("what.ever", 5, 0, errno.EOPNOTSUPP)):
        try:
            os.setxattr(path, name, b"x" * size, flags)
            sys.exit("%s of %d was taken" % (name, size))
        except OSError as e:
            if e.errno != want:
                sys.exit("%s of %d: %s" % (name, size, e))


def shrink():
    for n, size, path in files():
        os.setxattr(path, NTACL, b"short")
        for i in range(12):
            os.removexattr(path, "user.DosStream.stream %d:$DATA" % i)
        if os.getxattr(path, NTACL) != b"short" or len(os.listxattr(path)) != 2:
            sys.exit(path + ": is not short")


{"make": make, "look": look, "refuse": refuse, "shrink": shrink}[sys.argv[1]]()
P
does "lists, DOS attributes and streams" python3 /tmp/samba.py make
does "read back" python3 /tmp/samba.py look
fresh
does "after mounting again" python3 /tmp/samba.py look
does "what Samba may not do is refused, and how" python3 /tmp/samba.py refuse
mv /vol/share /vol/was && cp -a /vol/was /vol/share
does "a copy by cp -a has all of it" python3 /tmp/samba.py look
rm -rf /vol/share && mkdir /vol/share && rsync -aX /vol/was/ /vol/share/ && rm -rf /vol/was
does "and one by rsync -aX" python3 /tmp/samba.py look
fresh
does "shorter, and removed" python3 /tmp/samba.py shrink
rm -rf /vol/share
over
