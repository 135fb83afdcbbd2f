# SPDX-License-Identifier: GPL-2.0-only
"""The kernel inside a bzImage, unpacked here: emulated, that takes half the time of a boot.

An unpacked kernel runs where it was linked: without random addresses of its text (KASLR).
Offsets are those of Documentation/arch/x86/boot.rst.
"""
import lzma
import os
import struct
import subprocess

SECTOR = 512


class Packed(Exception):
    """No bzImage, or packed in a way that is not known here."""


def payload(image):
    """The packed kernel: an ELF file, and in four bytes after it how long that is."""
    if image[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", image, 0x206)[0] < 0x208:
        raise Packed("no bzImage")
    begin = (1 + (image[0x1f1] or 4)) * SECTOR + struct.unpack_from("<I", image, 0x248)[0]
    return image[begin:begin + struct.unpack_from("<I", image, 0x24c)[0]]


def vmlinux_of(packed):
    if packed.startswith(b"\xfd7zXZ\0"):
        vmlinux = lzma.LZMADecompressor().decompress(packed)
    elif packed.startswith(b"\x28\xb5\x2f\xfd"):
        vmlinux = subprocess.run(["zstd", "-dc"], input=packed[:-4], stdout=subprocess.PIPE,
                                 check=True).stdout
    else:
        raise Packed("packed with something else than xz or zstd")
    if not vmlinux.startswith(b"\x7fELF") or \
            len(vmlinux) != struct.unpack_from("<I", packed, len(packed) - 4)[0]:
        raise Packed("no kernel in it")
    return vmlinux


def unpack(image):
    """The kernel in it, or Packed, whatever is wrong with it or missing here."""
    try:
        return vmlinux_of(payload(image))
    except (struct.error, lzma.LZMAError, EOFError, OSError, subprocess.SubprocessError) as e:
        raise Packed("cannot be unpacked: %s" % e) from e


def unpacked(image, vmlinux):
    """The path of the unpacked kernel: VMLINUX, made if it is not there yet; several may ask."""
    if not os.path.exists(vmlinux):
        with open(image, "rb") as f:
            kernel = unpack(f.read())
        aside = "%s.%d" % (vmlinux, os.getpid())
        with open(aside, "wb") as f:
            f.write(kernel)
        os.rename(aside, vmlinux)
    return vmlinux
