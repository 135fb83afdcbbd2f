# SPDX-License-Identifier: GPL-2.0-only
# A file has lost its name, and both the directory for it and its name there are somebody else's.
mkdir -p "$tmp/taken/lost+found.1" "$tmp/taken/dir"
: >"$tmp/taken/lost+found"
echo 1 >"$tmp/taken/dir/file"
build/bin/mkfs.simplefs -fq -U 11111111-2222-3333-4444-555555555555 -d "$tmp/taken" "$img" 64M
lost=$(ino /dir/file)
: >"$tmp/taken/lost+found.1/#$lost"
find "$tmp/taken" -exec touch -h -d @1700000000 {} +
build/bin/mkfs.simplefs -fq -U 11111111-2222-3333-4444-555555555555 -d "$tmp/taken" "$img" 64M
[ "$(ino /dir/file)" = "$lost" ]
edit unname /dir file
