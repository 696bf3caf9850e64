/* One file of a driver: it makes each request that an opt-in redefines, and some that none does. */
#include "kit.h"
#ifdef DOWNGRADED /* as drivers do that were written for later kits, to get along with an old one */
#define NonPagedPoolNx NonPagedPool
#define NonPagedPoolNxCacheAligned NonPagedPoolCacheAligned
#define MdlMappingNoExecute 0
#define POOL_NX_ALLOCATION 0
#endif
#include "nxpool.h"
#include "nxpool.h" /* twice is harmless */

#ifdef __cplusplus
extern "C"
#endif
void ROUTINE(void);

void ROUTINE(void)
{
#ifdef CALL
    ExInitializeDriverRuntime(CALL);
#endif
    ExAllocatePoolWithTag(NonPagedPool, 1, 0);
    ExAllocatePoolWithTag(NonPagedPoolCacheAligned, 1, 0);
    ExAllocatePoolWithTag(PagedPool, 1, 0);
    ExAllocatePoolWithTag(NonPagedPoolExecute, 1, 0);
    ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 1, 0);
    ExInitializeNPagedLookasideList(NULL, NULL, NULL, 0, 1, 0, 0);
    MmMapLockedPagesSpecifyCache(NULL, 0, MmCached, NULL, 0, NormalPagePriority);
    MmGetSystemAddressForMdlSafe((PMDL)NULL, NormalPagePriority);
}
