/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - operator new for drivers: it names the pool and the tag, gives NULL where there is none, and throws nothing. */
#ifndef MEMORY_H
#define MEMORY_H

#include <ntddk.h>

/* The tags are written backwards, as the pool shows them. */
#define GAUGE_TAG_RECORDER 'cRaG' /* "GaRc" */
#define GAUGE_TAG_GAUGE    'gGaG' /* "GaGg" */
#define GAUGE_TAG_SERIES   'eSaG' /* "GaSe" */
#define GAUGE_TAG_CLIENT   'lCaG' /* "GaCl" */
#define GAUGE_TAG_CLIENTS  'sCaG' /* "GaCs" */
#define GAUGE_TAG_COPY     'pCaG' /* "GaCp" */
#define GAUGE_TAG_TEST     'eTaG' /* "GaTe" */
#define GAUGE_TAG_SETTING  'tSaG' /* "GaSt" */

void *operator new(size_t Size, POOL_TYPE PoolType, ULONG Tag) throw();
void *operator new[](size_t Size, POOL_TYPE PoolType, ULONG Tag) throw();
void operator delete(void *Memory) throw();
void operator delete[](void *Memory) throw();

#endif
