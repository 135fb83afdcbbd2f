# SPDX-License-Identifier: GPL-2.0-only
# git on the volume: a history of some thousand commits, cloned in each way, packed anew, pruned, checked.
. /run/guest/lib.sh
export GIT_CONFIG_GLOBAL=/tmp/gitconfig GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git config --global user.email a@example.org && git config --global user.name A
git config --global core.fsync all && git config --global core.fsyncMethod fsync
git config --global init.defaultBranch main && git config --global advice.detachedHead false
git config --global safe.directory '*'
use
git init -q --bare /vol/origin.git && cd /vol/origin.git || exit 1
python3 /run/guest/history.py "${1:-3000}" | git fast-import --quiet
ok $? "a history of ${1:-3000} commits"
want=$(git rev-parse main)
does "gc" git gc --quiet
does "a clone with hard links" git clone -q /vol/origin.git /vol/linked
does "a clone with its own objects" git clone -q --no-hardlinks /vol/origin.git /vol/copied
does "a clone over the protocol" git clone -q file:///vol/origin.git /vol/sent
(cd /vol/sent && mkdir /vol/aside && mv .git/objects/pack/* /vol/aside/ &&
    for pack in /vol/aside/*.pack; do git unpack-objects -q <"$pack"; done)
ok $? "all of it in files of their own: $(find /vol/sent/.git/objects -type f | wc -l)"
fresh
for clone in linked copied sent; do
    cd /vol/$clone || continue
    is "$(git rev-parse main)" "$want" "$clone: the same commit"
    is "$(git status --porcelain)" '' "$clone: nothing is changed"
    does "$clone: fsck" git fsck --full --strict --no-dangling
    git checkout -q -b other HEAD~100 && git commit -q --allow-empty -m other && git rebase -q main
    ok $? "$clone: a branch, put on top of main"
    does "$clone: gc" git gc --quiet --prune=now
    git worktree add -q /vol/$clone.tree HEAD~20 && git -C /vol/$clone.tree status --porcelain | wc -l | grep -qx 0
    ok $? "$clone: a second tree"
    rm -rf ./* && git checkout -q -- . && git status --porcelain | wc -l | grep -qx 0
    ok $? "$clone: all removed, and back"
    does "$clone: fsck" git fsck --full --strict --no-dangling
done
fresh
does "the bare one, fsck" git -C /vol/origin.git fsck --full --strict
over
