# SPDX-License-Identifier: GPL-2.0-only
"""The debug kernels as run-vm wants them: a kernel that is a program (UML), with disks of its own kind.

Nothing is emulated, so it is quick. It has no modules of Debian's: what is needed is built in.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Kernel:
    """What run-vm asks of a kernel."""

    def __init__(self, name):
        root = subprocess.run([os.path.join(HERE, "build-kernel"), name], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
        self.image = os.path.join(root, "linux")
        with open(os.path.join(root, "release")) as f:
            self.release = f.read().strip()
        self.tree = root
        self.smp = name != "debug"
        self.locks = name == "debug-smp"

    @staticmethod
    def resolve(_names):
        return []

    def harmless(self, text):
        """UML walks a process' mappings without the lock that its maple tree asks for, and frees
        memory on a processor that is not up yet: the line after the warning tells these."""
        return self.locks and ("WARNING: suspicious RCU usage" in text or "lib/maple_tree.c:" in text)


def command(args, kern, initramfs):
    cmd = [kern.image, "mem=" + args.mem, "seccomp=on", "initrd=" + initramfs, "con0=null,fd:1",
           "loglevel=6", "printk.time=1", "panic=-1", "oops=panic"]
    if kern.smp:
        cmd.append("ncpus=%d" % args.smp)
    for n, spec in enumerate(args.disk):
        path, _, mode = spec.partition(",")
        cmd.append("ubd%d%s=%s" % (n, "r" if mode == "ro" else "", path))
    return cmd + args.append


if __name__ == "__main__":
    sys.exit("uml.py is a part of tests/vm/run-vm --kernel debug")
