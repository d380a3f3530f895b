/*
 * Seams for the proof that the crash tests see what they must: each barrier, flush and check stands in one, and the
 * stepper must find the store broken when it is taken out (tests/crash/mutants.list says by which operation).
 *
 * SEAM("name", real, mutated) is `real`; in a build with -DMMU_SEAMS it is `mutated` when the environment has
 * MMU_SEAM=name.
 */
#ifndef SEAM_H
#define SEAM_H

#ifdef MMU_SEAMS
#include <stdlib.h>
#include <string.h>

static inline int
seam_open(const char *name)
{
	const char *chosen = getenv("MMU_SEAM");

	return chosen && !strcmp(chosen, name);
}
#define SEAM(name, real, mutated) (seam_open(name) ? (mutated) : (real))
#else
#define SEAM(name, real, mutated) (real)
#endif

#endif
