/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quotas.h - quotas.c: the part of tune.simplefs that changes more than block 0.
 */
#ifndef SFS_TUNE_QUOTAS_H
#define SFS_TUNE_QUOTAS_H

#include "lib.h"

/*
 * Usage of the types of the bits of @mask is counted from now on, and of no others, on the volume
 * @fs, just opened, whose block 0 is @super; both are as on the volume afterwards.  Ends the
 * program where nothing may be changed.
 */
int sfs_tune_quotas(const char *path, struct sfs_fs *fs, void *super, unsigned int mask);

#endif
