#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/setup, with stand-ins for dpkg-query, apt-get, apt-cache and id: what it calls missing or too old,
# what it asks apt for, and from where.
. "$(dirname "$0")/../tap/tap.sh"
mkdir "$tmp/bin"
# The installed packages are those of the lists in $tmp/installed; each call of apt-get is a line of $tmp/calls.
cat >"$tmp/bin/dpkg-query" <<EOF
#!/bin/sh
sed 's/^/ii  /' "$tmp/installed"
EOF
cat >"$tmp/bin/apt-get" <<EOF
#!/bin/sh
case "\$*" in
indextargets*) echo "\$(. /etc/os-release; echo \$VERSION_CODENAME) main file:/mirror" ;;
*) echo "\$*" >>"$tmp/calls" ;;
esac
EOF
cat >"$tmp/bin/apt-cache" <<EOF
#!/bin/sh
printf 'thing:\n  Installed: (none)\n  Candidate: %s\n' "\$(cat "$tmp/offered")"
EOF
cat >"$tmp/bin/id" <<EOF
#!/bin/sh
cat "$tmp/uid"
EOF
chmod +x "$tmp/bin"/*

# setup UID OFFERED [ARGUMENT]...: with qemu-system-x86 offered in that version
setup()
{
    echo "$1" >"$tmp/uid"
    echo "$2" >"$tmp/offered"
    : >"$tmp/calls"
    run env PATH="$tmp/bin:$PATH" tests/setup "${@:3}"
}
calls()
{
    grep -c -- "$1" "$tmp/calls"
}

cat tests/packages tests/*/packages | sed 's/#.*//' | awk 'NF && !seen[$1]++ {print $1, $1 == "qemu-system-x86" ? "1:10.0" : "1"}' \
    >"$tmp/whole"
cp "$tmp/whole" "$tmp/installed"
setup 0 1:7.2
exits 0 'all there'
is "$(calls .)" 0 'and nothing asked for'

sed -i '/^make /d' "$tmp/installed"
setup 0 1:7.2 --check
exits 1 'one is missing: told'
like '^missing packages: apt-get install --no-install-recommends make$' 'by name'
setup 1000 1:7.2
exits 1 'nobody but root can install'
is "$(calls .)" 0 'so nothing is tried'
setup 0 1:7.2
exits 0 'root installs it'
is "$(calls ' install --no-install-recommends make$')" 1 'alone'

sed 's/^qemu-system-x86 .*/qemu-system-x86 1:7.2+dfsg-7/' "$tmp/whole" >"$tmp/installed"
setup 0 1:7.2+dfsg-7 --check
exits 1 'one is too old: told'
like '^missing package: qemu-system-x86, not older than 1:8' 'with what would do'
setup 0 1:10.0.2
exits 0 'root gets a newer one'
is "$(calls 'sourcelist')" 0 'from the suite, if it has one'
is "$(calls ' install --no-install-recommends qemu-system-x86$')" 1 'as any other'
setup 0 1:7.2+dfsg-7
exits 0 'else from backports'
is "$(calls 'sourcelist.* -t [a-z]*-backports qemu-system-x86$')" 1 'by an apt with lists of its own'
sed -i '/^qemu-system-x86 /d' "$tmp/installed"
setup 0 1:7.2+dfsg-7
is "$(calls '-backports qemu-system-x86$')" 1 'also one that is not there at all'
is "$(calls ' install .*make')" 0 'and nothing else comes from there'
done_testing
