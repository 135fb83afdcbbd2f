#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The churn for an hour in all (CHURN_SECONDS=, without booting): every kernel (KERNELS=) and the two
# that watch their memory and locks, one to eight workers, with room and on the last blocks, the smallest
# journal and the largest, with remounts and emptied caches. SEED= is that of the first run.
# shellcheck disable=SC2034
module=each-its-own
. "$(dirname "$0")/lib.sh"
read -ra names <<<"${KERNELS:-6.1 6.12 7.2 7.3 debug debug-smp}"
seed=${SEED:-1000}
cases=(
    '256M size=4M 1 remount' '256M size=4M 2 drop' '256M size=4M 8 remount drop'
    '64M size=4M 1 full drop' '64M size=4M 2 full remount' '64M size=4M 8 full'
    '64M size=4M 4 remount grow' '64M size=4M 8 full drop grow'
    '5G size=4031M 2 remount' '5G size=4031M 8 drop' '5G size=4031M 8 full remount'
    '256M size=4M 4 remount quota' '64M size=4M 8 full drop discard quota'
)
seconds=$((${CHURN_SECONDS:-3600} / (${#names[@]} * ${#cases[@]})))
[ "$seconds" -ge 10 ] || seconds=10

for kernel in "${names[@]}"; do
    module=$(tests/vm/build-module "$kernel" 2>"$tmp/make.log")
    case $? in
    0) ;;
    3) ok 0 "$kernel: $(tail -n 1 "$tmp/make.log") # SKIP"; continue ;;
    *) ok 1 "$kernel: the module builds"; diag "$(tail -n 5 "$tmp/make.log")"; continue ;;
    esac
    for case in "${cases[@]}"; do
        # shellcheck disable=SC2086
        churn "$kernel, $case, seed $seed" "$seed" "$seconds" $case
        seed=$((seed + 1))
    done
done
done_testing
