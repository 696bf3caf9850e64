// SPDX-License-Identifier: Apache-2.0
// memory.cpp - operator new and delete, and what else the language wants of a library that a driver does not have.
#include "memory.h"

void *operator new(size_t Size, POOL_TYPE PoolType, ULONG Tag) throw()
{
    return ExAllocatePoolWithTag(PoolType, Size, Tag);
}

void *operator new[](size_t Size, POOL_TYPE PoolType, ULONG Tag) throw()
{
    return ExAllocatePoolWithTag(PoolType, Size, Tag);
}

// By the standard, deleting NULL does nothing; ExFreePool stops the system.
void operator delete(void *Memory) throw()
{
    if (Memory != NULL) {
        ExFreePool(Memory);
    }
}

void operator delete[](void *Memory) throw()
{
    if (Memory != NULL) {
        ExFreePool(Memory);
    }
}

#ifdef __GNUC__
// What a virtual function without a body calls; Microsoft's kit has its own, _purecall.
extern "C" void __cxa_pure_virtual(void);
void __cxa_pure_virtual(void)
{
    KeBugCheck(0x0000DEAD);
}
#endif
