/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - memory for the library and for those that use it. */
#include "sievelib.h"

PVOID SieveAllocate(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag)
{
    PVOID Memory = ExAllocatePoolWithTag(PoolType, Size, Tag);

    if (Memory != NULL) {
        RtlZeroMemory(Memory, Size);
    }
    return Memory;
}

VOID SieveFree(PVOID Memory)
{
    if (Memory != NULL) {
        ExFreePool(Memory);
    }
}
