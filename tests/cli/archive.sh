# SPDX-License-Identifier: GPL-2.0-only
# What the tests of mkfs -d from an archive share: archives made of a few words.
# shellcheck shell=bash

# archive NAME: a tar of entries, each a line of Python: dict(name=..., pax={...}, FIELD=...); values
# of attributes may be any bytes
archive()
{
    python3 -c '
import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for line in sys.stdin:
        fields = eval(line)
        entry = tarfile.TarInfo(fields.pop("name"))
        entry.pax_headers = {key: value.decode("utf-8", "surrogateescape") if type(value) is bytes else value
                             for key, value in fields.pop("pax", {}).items()}
        for key, value in fields.items():
            setattr(entry, key, value)
        tar.addfile(entry)' "$tmp/$1"
}
