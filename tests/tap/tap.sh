# SPDX-License-Identifier: GPL-2.0-only
# TAP for shell tests: source it first; failure is the default.
#
# A test ends with `done_testing`; one that dies before has no plan, which the runner counts as a
# failure. Each test gets a folder of its own, $tmp, removed at exit, and starts in the project's
# root, $top. Commands run under `run`, which keeps exit status and output for the checks after it.
# shellcheck shell=bash
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
tap_count=0
tap_failures=0
status=0
out=

# ok CONDITION-STATUS NAME: one counted line
ok()
{
    local verdict=ok
    tap_count=$((tap_count + 1))
    if [ "$1" != 0 ]; then
        verdict='not ok'
        tap_failures=$((tap_failures + 1))
    fi
    printf '%s %d - %s\n' "$verdict" "$tap_count" "$2"
    [ "$1" = 0 ]
}

diag()
{
    printf '%s\n' "$*" | sed 's/^/# /'
}

# run COMMAND...: both streams into $out, the exit into $status
run()
{
    out=$("$@" 2>&1 </dev/null)
    status=$?
}

# is GOT WANT NAME
is()
{
    [ "$1" = "$2" ]
    ok $? "$3" || { diag "got: $1" "want: $2"; return 1; }
}

# exits STATUS NAME: about the last `run`
exits()
{
    [ "$status" = "$1" ]
    ok $? "$2" || { diag "exit $status, want $1
$out"; return 1; }
}

# like REGEX NAME: some line of the last `run` matches (extended regular expression)
like()
{
    grep -Eq -- "$1" <<<"$out"
    ok $? "$2" || { diag "no line matches $1 in:
$out"; return 1; }
}

unlike()
{
    ! grep -Eq -- "$1" <<<"$out"
    ok $? "$2" || { diag "a line matches $1 in:
$out"; return 1; }
}

# literal TEXT: the extended regular expression that is like it alone
literal()
{
    sed 's/[]+*.^$()|{}?\\[]/\\&/g' <<<"$1"
}

# leaves FILE STATUS REGEX NAME COMMAND...: it refuses, says why, and FILE is to the bit what it was
leaves()
{
    local file=$1 want=$2 say=$3 name=$4 sum
    shift 4
    sum=$(md5sum <"$file")
    run "$@"
    is "$status" "$want" "$name: refused"
    like "$say" "$name: says why"
    is "$(md5sum <"$file")" "$sum" "$name: nothing is written"
}

# relay_tap WHAT: the TAP lines of the standard input, another program's, counted as this test's own
relay_tap()
{
    local line n=0
    while IFS= read -r line; do
        line=${line%$'\r'}
        case $line in
        'ok '*) ok 0 "$1: ${line#*- }"; n=$((n + 1)) ;;
        'not ok '*) ok 1 "$1: ${line#*- }"; n=$((n + 1)) ;;
        '#'*) printf '%s\n' "$line" ;;
        esac
    done
    [ "$n" -gt 0 ]
    ok $? "$1: said something"
}

skip_all()
{
    echo "1..0 # SKIP $*"
    exit 0
}

done_testing()
{
    echo "1..$tap_count"
    [ "$tap_count" -gt 0 ] && [ "$tap_failures" = 0 ]
    exit $?
}
