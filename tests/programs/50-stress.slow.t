#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# stress-ng's class of filesystems, each stressor by two, each verified. SECONDS_EACH= (10), STRESSORS=.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 3G
read -r -a stressors <<<"${STRESSORS-}"
programs --timeout 6000 --disk "$tmp/disk" -- stress.sh "${SECONDS_EACH:-10}" ${stressors[@]+"${stressors[@]}"}
is "$status" 0 "no complaint from the kernel"
relay stress-ng
whole "$tmp/disk" "the volume"
done_testing
