#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The apt repository: made with a throw-away key, used as the README says, refused when tampered with.
. "$(dirname "$0")/lib.sh"
export GNUPGHOME=$tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
suite=${suites[0]}

run debian/make-repo "" "$suite"
exits 1 "no key named: refused"
like 'KEY=' "and says how to name one"
run debian/make-repo nobody@example.org "$suite"
exits 1 "a key that is not there: refused"

packages "$suite"
run gpg --batch --quiet --passphrase '' --quick-generate-key 'throw-away <test@example.org>' default sign never
exits 0 "a throw-away key"
run debian/make-repo test@example.org "$suite"
exits 0 "the repository"
in_suite "$suite" kmod /simplefs/tests/package/use-repo "$suite" >"$tmp/use" 2>&1 || diag "$(tail -n 5 "$tmp/use")"
relay_tap "$suite" <"$tmp/use"
gpgconf --kill all
done_testing
