#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Debian archive as the tests use it: any suite's packages, without touching the system's apt.

Each suite has an apt of its own below $SIMPLEFS_CACHE (~/.cache/simplefs): lists, state, cache. The
mirror and the keyring are the system's. Packages are unpacked, never installed, into folders named
by package and version, aside first and then renamed, so that any number of tests may ask at once.

usage: archive.py sources SUITE      the suite's lines for sources.list
       archive.py key SUITE          changes when the suite is published anew
       archive.py names              the kernels of tests/kernels/list, oldest first
       archive.py image KERNEL       fetches; prints the folder with boot/ and lib/modules/
       archive.py headers KERNEL     fetches; prints the build folder (KDIR)
       archive.py release KERNEL     prints the release, e.g. 6.1.0-56-amd64
       archive.py suite KERNEL       prints the suite whose userland builds for it
       archive.py series SUITE       the series that the suite has headers of, e.g. "7.2 7.3"
KERNEL is a name of tests/kernels/list, or SERIES@SUITE. Exit 3: the mirror has no such kernel (any
more).
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("SIMPLEFS_CACHE") or os.path.expanduser("~/.cache/simplefs")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FRESH = 12 * 3600  # seconds that fetched lists are good for
GONE = 3


class Gone(Exception):
    """The mirror does not have it."""


def run(*cmd, **kw):
    return subprocess.run(cmd, check=True, text=True, stdout=subprocess.PIPE, **kw).stdout


@contextlib.contextmanager
def locked(path):
    """One process at a time; the file stays, so that nobody locks one that is being removed."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def newest(names):
    """The last of some names in version order: 6.1.0-56 is newer than 6.1.0-9."""
    return run("sort", "-V", input="\n".join(names)).strip().split("\n")[-1]


def mirrors():
    """URIs of the archive and of its security part (or None), from the system's own sources."""
    lines = run("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)",
                "Created-By: Packages").split("\n")
    found = [line.split() for line in lines if line.split()[1:2] == ["main"]]
    with open("/etc/os-release") as f:
        system = re.search(r'^VERSION_CODENAME="?(\w+)', f.read(), re.M)
    code = system.group(1) if system else ""
    own = [uri for release, _, uri in found if release == code] or \
        [uri for release, _, uri in found if not release.endswith("-security")]
    security = [uri for release, _, uri in found if release.endswith("-security")]
    if not own:
        sys.exit("archive: apt names no Debian mirror (component main)")
    return own[0], security[0] if security else None


def sources(suite):
    main, security = mirrors()
    option = "[signed-by=%s] " % KEYRING if os.path.exists(KEYRING) else ""
    line = "deb " + option + "%s %s main"
    if suite == "sid":
        return [line % (main, "sid"), line % (main, "experimental")]
    parts = [line % (main, suite + tail) for tail in ("", "-updates", "-backports")]
    return parts + ([line % (security, suite + "-security")] if security else [])


class Suite:
    """One suite's apt: all commands see it alone, as a system with nothing installed."""

    def __init__(self, name):
        self.name = name
        self.dir = os.path.join(CACHE, "apt", name)
        self.lists = os.path.join(self.dir, "lists")
        self.options = []
        for key, value in (("Dir::Etc::sourcelist", os.path.join(self.dir, "sources.list")),
                           ("Dir::Etc::sourceparts", "/dev/null"),
                           ("Dir::Etc::preferences", "/dev/null"),
                           ("Dir::Etc::preferencesparts", "/dev/null"),
                           ("Dir::State::lists", self.lists),
                           ("Dir::State::status", "/dev/null"),
                           ("Dir::Cache", os.path.join(self.dir, "cache")),
                           ("Dir::Cache::pkgcache", "pkgcache.bin"),
                           ("Dir::Cache::srcpkgcache", ""),
                           ("APT::Architecture", "amd64"),
                           ("APT::Architectures", "amd64"),
                           ("APT::Sandbox::User", ""),
                           ("APT::Update::Post-Invoke-Success", ""),
                           ("APT::Update::Post-Invoke", "")):
            self.options += ["-o", "%s=%s" % (key, value)]

    def refresh(self, force=False):
        """Fetches the lists unless they are recent. Old ones do when the mirror cannot be asked."""
        stamp = os.path.join(self.dir, "fetched")
        with locked(os.path.join(CACHE, "apt", self.name + ".lock")):
            with contextlib.suppress(FileNotFoundError):
                if not force and time.time() - os.path.getmtime(stamp) < FRESH:
                    return
            for folder in (self.lists, os.path.join(self.dir, "cache/archives")):
                os.makedirs(os.path.join(folder, "partial"), exist_ok=True)
            with open(os.path.join(self.dir, "sources.list"), "w") as f:
                f.write("".join(line + "\n" for line in sources(self.name)))
            # A part that is missing (backports of an old suite) must not spoil the others.
            got = subprocess.run(["apt-get", "-qq", *self.options, "update"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if not self.inrelease():
                sys.exit("archive: cannot fetch the lists of %s: %s" % (self.name, got.stdout))
            if got.returncode:
                print("archive: %s: %s" % (self.name, got.stdout.strip()), file=sys.stderr)
            else:
                open(stamp, "w").close()

    def inrelease(self):
        return glob.glob(os.path.join(self.lists, "*_dists_%s_InRelease" % self.name))

    def key(self):
        self.refresh()
        with open(self.inrelease()[0], "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()[:10]

    def packages(self, prefix):
        self.refresh()
        return run("apt-cache", *self.options, "pkgnames", prefix).split()

    def show(self, package):
        """Version and names of the direct dependencies of a package's newest version."""
        text = run("apt-cache", *self.options, "show", package, stderr=subprocess.DEVNULL)
        stanza = text.split("\n\n")[0]
        version = re.search(r"^Version: (.*)$", stanza, re.M).group(1)
        depends = re.search(r"^Depends: (.*)$", stanza, re.M)
        names = re.split(r"[,|] *", depends.group(1)) if depends else []
        return version, [name.split()[0] for name in names if name.strip()]

    def closure(self, package, wanted):
        """The package and those it depends on, directly or not, whose names match."""
        found, todo = [], [package]
        while todo:
            name = todo.pop()
            if name not in found:
                found.append(name)
                todo += [n for n in self.show(name)[1] if re.match(wanted, n)]
        return found

    def unpack(self, packages, dest):
        subprocess.run(["apt-get", "-qq", *self.options, "download", *packages], cwd=dest,
                       check=True, stdout=sys.stderr)
        for deb in glob.glob(os.path.join(dest, "*.deb")):
            run("dpkg-deb", "-x", deb, dest)
            os.unlink(deb)


class Kernel:
    """A line of tests/kernels/list, resolved to the newest release that the mirror has."""

    def __init__(self, name, suite, flavour):
        self.name, self.suite_name, self.flavour = name, suite, flavour
        self.suite = Suite(suite)

    def release(self):
        series = re.match(r"[\d.]+", self.name).group(0)
        shape = re.compile(r"linux-headers-(%s(\.\d+)*(-\d+)?(\+deb[\d.]+)?-%s)$" %
                           (re.escape(series), self.flavour))
        found = [m.group(1) for p in self.suite.packages("linux-headers-" + series)
                 for m in [shape.match(p)] if m]
        if not found:
            raise Gone("the mirror has no headers of Linux %s (%s, %s)" %
                       (series, self.suite_name, self.flavour))
        return newest(found)

    def fetch(self, package, wanted, finish):
        """Folder of the unpacked package and its relatives; finish(folder, final) completes it."""
        version = self.suite.show(package)[0].replace("~", "-")
        final = os.path.join(CACHE, "kernels", "%s_%s" % (package, version))
        with locked(final + ".lock"):
            if os.path.isdir(final):
                return final
            print("archive: fetching " + package, file=sys.stderr)
            aside = tempfile.mkdtemp(prefix=".new-", dir=os.path.dirname(final))
            try:
                try:
                    self.suite.unpack(self.suite.closure(package, wanted), aside)
                except subprocess.CalledProcessError:
                    self.suite.refresh(force=True)  # the lists may be older than the pool
                    self.suite.unpack(self.suite.closure(package, wanted), aside)
                finish(aside, final)
                os.chmod(aside, 0o755)
                os.rename(aside, final)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return final

    def image(self):
        release = self.release()
        have = self.suite.packages("linux-image-" + release)
        package = "linux-image-%s-unsigned" % release
        if package not in have:
            package = "linux-image-" + release
        if package not in have:
            raise Gone("the mirror has no image of Linux " + release)

        def finish(folder, _final):
            old_places(folder, release)
            run("depmod", "-b", folder, release)

        return self.fetch(package, r"linux-(base|binary|modules)-.*" + re.escape(release), finish)

    def headers(self):
        release = self.release()
        package = "linux-headers-" + release

        def finish(folder, final):
            """The makefile of the flavour names itself and the common one by absolute paths."""
            makefile = os.path.join(folder, "usr/src", package, "Makefile")
            with open(makefile) as f:
                text = re.sub(r"(?<=[ =])(?=/usr/src/)", final, f.read())
            with open(makefile, "w") as f:
                f.write(text)

        folder = self.fetch(package, r"linux-(headers|kbuild|base-%s)" % re.escape(release), finish)
        return os.path.join(folder, "usr/src", package)


def old_places(folder, release):
    """Since 7.x all lies below usr/lib/modules; here it is found where older packages put it."""
    modules = os.path.join(folder, "lib/modules")
    if not os.path.isdir(modules):
        os.makedirs(os.path.join(folder, "lib"), exist_ok=True)
        os.rename(os.path.join(folder, "usr/lib/modules"), modules)
    os.makedirs(os.path.join(folder, "boot"), exist_ok=True)
    for name in ("vmlinuz", "config"):
        link = os.path.join(folder, "boot", name + "-" + release)
        if os.path.exists(os.path.join(modules, release, name)) and not os.path.exists(link):
            os.symlink(os.path.join("../lib/modules", release, name), link)


def kernels():
    with open(os.path.join(HERE, "list")) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith("#")]
    return {row[0]: Kernel(*row) for row in rows}


def kernel(name):
    known = kernels()
    elsewhere = re.match(r"[\d.]+@(\w+)$", name)
    if elsewhere:
        return Kernel(name, elsewhere.group(1), "amd64")
    if name not in known:
        sys.exit("archive: no kernel %s in tests/kernels/list (%s)" % (name, " ".join(known)))
    return known[name]


def series(suite):
    names = Suite(suite).packages("linux-headers-")
    found = {m.group(1) for n in names for m in [re.match(r"linux-headers-(\d+\.\d+).*-amd64$", n)] if m}
    return run("sort", "-V", input="\n".join(found)).split()


def main(what="", name=""):
    if what == "names":
        return " ".join(kernels())
    if what == "sources" and name:
        return "\n".join(sources(name))
    if what == "series" and name:
        return " ".join(series(name))
    if what == "key" and name:
        return Suite(name).key()
    if what == "suite" and name:
        return kernel(name).suite_name
    if what in ("image", "headers", "release") and name:
        return getattr(kernel(name), what)()
    sys.exit(__doc__)


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:3]))
    except Gone as e:
        print("archive: %s" % e, file=sys.stderr)
        sys.exit(GONE)
    except subprocess.CalledProcessError as e:
        sys.exit("archive: %s" % e)
