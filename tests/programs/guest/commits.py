# SPDX-License-Identifier: GPL-2.0-only
"""Commits, gc and branches of git on the volume, and what must be there after a crash."""
import os
import subprocess
import sys

ENV = dict(os.environ, GIT_CONFIG_COUNT="7", GIT_CONFIG_KEY_0="user.email", GIT_CONFIG_VALUE_0="a@example.org",
           GIT_CONFIG_KEY_1="user.name", GIT_CONFIG_VALUE_1="A", GIT_CONFIG_KEY_2="core.fsync",
           GIT_CONFIG_VALUE_2="all", GIT_CONFIG_KEY_3="core.fsyncMethod", GIT_CONFIG_VALUE_3="fsync",
           GIT_CONFIG_KEY_4="safe.directory", GIT_CONFIG_VALUE_4="*", GIT_CONFIG_KEY_5="gc.auto",
           GIT_CONFIG_VALUE_5="0", GIT_CONFIG_KEY_6="init.defaultBranch", GIT_CONFIG_VALUE_6="main")


def git(*args, check=True):
    return subprocess.run(("git", "-C", "/vol/repo") + args, env=ENV, check=check, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.strip()


def settle():
    """git syncs what it writes, but no folder: the names that its renames make are nobody's promise yet."""
    fd = os.open("/vol/repo/.git/refs/heads", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def write(count):
    from mark import mark
    subprocess.run(["git", "init", "-q", "/vol/repo"], env=ENV, check=True)
    os.sync()
    for n in range(1, count + 1):
        for i in range(20):
            with open("/vol/repo/file%d" % (n * 7 % 50 + i), "w") as f:
                f.write("%d\n" % n * (n * 31 % 400 + 1))
        git("add", "-A")
        git("commit", "-q", "-m", "number %d" % n)
        settle()
        mark("commit", n)
        if n % 10 == 0:
            git("gc", "-q", "--prune=now")
            git("tag", "gc-%d" % n)
            settle()
            mark("tag", n)


def check(acks):
    if not acks:
        return []
    for name in ("index.lock", "HEAD.lock", "gc.pid", "refs/heads/main.lock", "packed-refs.lock"):
        if os.path.exists("/vol/repo/.git/" + name):
            os.unlink("/vol/repo/.git/" + name)
    faults = []
    said = git("fsck", "--full", "--strict", "--no-dangling", check=False)
    if any(word in said for word in ("missing", "corrupt", "error", "fatal", "broken")):
        faults.append("fsck: " + said[:2000])
    last = git("log", "-1", "--format=%s", check=False)
    number = int(last.split()[1]) if last.startswith("number ") else 0
    if not acks["commit"] <= number <= acks["commit"] + 1:
        faults.append("%d was promised, '%s' is there" % (acks["commit"], last))
    count = git("rev-list", "--count", "HEAD", check=False)
    if count != str(number):
        faults.append("%s commits, not %d" % (count, number))
    if acks.get("tag") and "gc-%d" % acks["tag"] not in git("tag", check=False).split():
        faults.append("a tag is lost")
    git("reset", "-q", "--hard", check=False)
    if git("status", "--porcelain", "-uno", check=False):
        faults.append("the tree is not that of its commit")
    return faults


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(int(sys.argv[2]))
    else:
        found = check({w.split("=")[0]: int(w.split("=")[1]) for w in sys.argv[2:]})
        print("\n".join(found))
        sys.exit(1 if found else 0)
