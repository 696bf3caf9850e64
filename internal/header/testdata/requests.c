/* One file of a driver: it makes each request that an opt-in redefines, and some that none does. */
#include "kit.h"
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
    ExInitializeNPagedLookasideList(0, 0, 0, 0, 1, 0, 0);
    MmMapLockedPagesSpecifyCache(0, 0, 1, 0, 0, NormalPagePriority);
    MmGetSystemAddressForMdlSafe((PVOID)0, NormalPagePriority);
}
