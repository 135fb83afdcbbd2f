#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The README's lines for apt, word for word, by somebody with a fresh Debian and build/repo.
. "$(dirname "$0")/lib.sh"
export GNUPGHOME=$tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'throw-away <test@example.org>' default sign never
sed -n '/^    cp build\/repo\/simplefs\.gpg/,/^    apt update/s/^    //p' README.md >"$tmp/lines"
grep -q 'apt install simplefs-dkms' "$tmp/lines"
ok $? "README has lines for apt"

for suite in "${suites[@]}"; do
    packages "$suite"
    run debian/make-repo test@example.org "$suite"
    exits 0 "$suite: the repository"
    sed "s/bookworm/$suite/" "$tmp/lines" >"$tmp/lines.$suite"
    # Whoever asks on a terminal says yes; and whoever has a Debian has apt's recommendations on.
    run tests/chroot --fresh --bind "$top/build/repo:/home/me/build/repo" --bind "$tmp/lines.$suite:/home/me/lines" \
        --dir /home/me "$suite" sh -ec '
            printf "APT::Get::Assume-Yes true;\nAPT::Install-Recommends true;\n" >/etc/apt/apt.conf.d/zz-yes
            export DEBIAN_FRONTEND=noninteractive
            sh -e lines
            dkms status simplefs
            modinfo -k "$(ls /lib/modules | tail -n 1)" simplefs | grep -E "^(version|signer):"'
    exits 0 "$suite: every line succeeds"
    like "^simplefs/$(cat src/VERSION), .*: installed" "$suite: and the module is built"
    like '^signer: +DKMS module signing key' "$suite: and signed"
done
gpgconf --kill all
done_testing
