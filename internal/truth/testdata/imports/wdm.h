/*
 * A kit for drivers that are compiled for Windows. The routines are imports, or macros and inline functions over them, as those of
 * Microsoft's kits are; so is the call that opts in.
 */
#ifndef _WDMDDK_
#define _WDMDDK_
#define KIT_IMAGE
#ifdef __aarch64__
#define KIT_ARM64
#endif
#include <types.h>
#include <optin.h>

/* KIT_ROUTINE declares an export, with the size of its parameters on x86: its name has that there. The linker's list of exports is
 * made of these lines. */
#define KIT_ROUTINE(Name, Size, Parameters) KIT_IMPORT PVOID NTAPI Name Parameters;

KIT_ROUTINE(ExAllocatePoolWithTag, 12, (POOL_TYPE, SIZE_T, ULONG))
KIT_ROUTINE(ExAllocatePoolWithQuotaTag, 12, (POOL_TYPE, SIZE_T, ULONG))
KIT_ROUTINE(ExAllocatePoolWithTagPriority, 16, (POOL_TYPE, SIZE_T, ULONG, EX_POOL_PRIORITY))
KIT_ROUTINE(ExAllocatePool2, 16, (POOL_FLAGS, SIZE_T, ULONG))
KIT_ROUTINE(ExAllocatePool3, 24, (POOL_FLAGS, SIZE_T, ULONG, PVOID, ULONG))
KIT_ROUTINE(ExInitializeNPagedLookasideList, 28,
    (PNPAGED_LOOKASIDE_LIST, PALLOCATE_FUNCTION, PFREE_FUNCTION, ULONG, SIZE_T, ULONG, USHORT))
KIT_ROUTINE(ExInitializeLookasideListEx, 32, (PLOOKASIDE_LIST_EX, PVOID, PVOID, POOL_TYPE, ULONG, SIZE_T, ULONG, USHORT))
KIT_ROUTINE(MmMapLockedPagesSpecifyCache, 24, (PMDL, MODE, MEMORY_CACHING_TYPE, PVOID, ULONG, ULONG))
KIT_ROUTINE(MmMapLockedPages, 8, (PMDL, MODE))
KIT_ROUTINE(ExAllocateCacheAwareRundownProtection, 8, (POOL_TYPE, ULONG))
KIT_ROUTINE(FsRtlAllocatePool, 8, (POOL_TYPE, SIZE_T))
KIT_ROUTINE(FsRtlAllocatePoolWithTag, 12, (POOL_TYPE, SIZE_T, ULONG))
KIT_ROUTINE(FsRtlAllocatePoolWithQuota, 8, (POOL_TYPE, SIZE_T))
KIT_ROUTINE(FsRtlAllocatePoolWithQuotaTag, 12, (POOL_TYPE, SIZE_T, ULONG))
KIT_ROUTINE(FsRtlInitializeMcb, 8, (PVOID, POOL_TYPE))
KIT_ROUTINE(FsRtlInitializeLargeMcb, 8, (PVOID, POOL_TYPE))
KIT_ROUTINE(FltAllocatePoolAlignedWithTag, 16, (PVOID, POOL_TYPE, SIZE_T, ULONG))
KIT_ROUTINE(FltAllocateContext, 20, (PVOID, USHORT, SIZE_T, POOL_TYPE, PVOID *))
KIT_ROUTINE(SeSetSecurityDescriptorInfo, 24, (PVOID, PULONG, PVOID, PVOID *, POOL_TYPE, PVOID))
KIT_ROUTINE(ChangerClassAllocatePool, 8, (POOL_TYPE, ULONG))
KIT_ROUTINE(MmAllocateContiguousMemory, 12, (SIZE_T, PHYSICAL_ADDRESS))
KIT_ROUTINE(MmAllocateContiguousMemorySpecifyCache, 32,
    (SIZE_T, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, MEMORY_CACHING_TYPE))
KIT_ROUTINE(MmAllocateContiguousNodeMemory, 36, (SIZE_T, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, ULONG, ULONG))
KIT_ROUTINE(MmMapIoSpace, 16, (PHYSICAL_ADDRESS, SIZE_T, MEMORY_CACHING_TYPE))
KIT_ROUTINE(MmMapIoSpaceEx, 16, (PHYSICAL_ADDRESS, SIZE_T, ULONG))
KIT_ROUTINE(MmProtectMdlSystemAddress, 8, (PMDL, ULONG))
KIT_ROUTINE(ZwCreateSection, 28, (PVOID *, ULONG, PVOID, PVOID, ULONG, ULONG, PVOID))
KIT_ROUTINE(ZwMapViewOfSection, 40, (PVOID, PVOID, PVOID *, ULONG_PTR, SIZE_T, PVOID, SIZE_T *, ULONG, ULONG, ULONG))
KIT_ROUTINE(ZwAllocateVirtualMemory, 24, (PVOID, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG))

/*
 * The framework's routines are called through a table, with its own data in front of the arguments. The loader fills in the address
 * of the table by what the driver's library tells it.
 */
#ifdef __cplusplus
extern "C" {
#else
typedef __WCHAR_TYPE__ wchar_t;
#endif
KIT_ONE PVOID *WdfFunctions;
KIT_ONE PVOID WdfDriverGlobals;
KIT_ONE __attribute__((used)) struct KitBindInfo {
    ULONG Size;
    const wchar_t *Component;
    ULONG Major, Minor, Build, Count;
    PVOID **Table;
} KitBindInfo = { sizeof(KitBindInfo), L"KmdfLibrary", 1, 15, 0, 444, &WdfFunctions };
#ifdef __cplusplus
}
#endif
#define KIT_WDF(Index, Parameters) ((PVOID(NTAPI *)Parameters)WdfFunctions[Index])

FORCEINLINE PVOID WdfMemoryCreate(PVOID Attributes, POOL_TYPE Type, ULONG Tag, SIZE_T Size, PVOID *Memory, PVOID *Buffer)
{
    return KIT_WDF(192, (PVOID, PVOID, POOL_TYPE, ULONG, SIZE_T, PVOID *, PVOID *))
        (WdfDriverGlobals, Attributes, Type, Tag, Size, Memory, Buffer);
}

FORCEINLINE PVOID WdfRegistryQueryMemory(PVOID Key, PUNICODE_STRING Name, POOL_TYPE Type, PVOID Attributes, PVOID *Memory, PULONG Kind)
{
    return KIT_WDF(236, (PVOID, PVOID, PUNICODE_STRING, POOL_TYPE, PVOID, PVOID *, PULONG))
        (WdfDriverGlobals, Key, Name, Type, Attributes, Memory, Kind);
}

/* Fields of an MDL: drivers here have none. */
KIT_IMPORT ULONG KitMdlFlags;
KIT_IMPORT PVOID KitMapped;

FORCEINLINE PVOID ExAllocatePoolZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    return ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_ZERO_ALLOCATION), Size, Tag);
}

FORCEINLINE PVOID ExAllocatePoolUninitialized(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    return ExAllocatePoolWithTag(Type, Size, Tag);
}

FORCEINLINE PVOID ExAllocatePoolQuotaZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    return ExAllocatePoolWithQuotaTag((POOL_TYPE)(Type | POOL_ZERO_ALLOCATION), Size, Tag);
}

FORCEINLINE PVOID ExAllocatePoolQuotaUninitialized(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    return ExAllocatePoolWithQuotaTag(Type, Size, Tag);
}

FORCEINLINE PVOID ExAllocatePoolPriorityZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    return ExAllocatePoolWithTagPriority((POOL_TYPE)(Type | POOL_ZERO_ALLOCATION), Size, Tag, Priority);
}

FORCEINLINE PVOID ExAllocatePoolPriorityUninitialized(POOL_TYPE Type, SIZE_T Size, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    return ExAllocatePoolWithTagPriority(Type, Size, Tag, Priority);
}

FORCEINLINE PVOID KitLookaside(PNPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free, ULONG Flags,
    SIZE_T Size, ULONG Tag, USHORT Depth)
{
    return ExInitializeNPagedLookasideList(List, Allocate, Free, Flags | KIT_POOL_BIT, Size, Tag, Depth);
}

FORCEINLINE PVOID KitMap(PMDL Mdl, MODE Mode, MEMORY_CACHING_TYPE Cache, PVOID Base, ULONG Check, ULONG Priority)
{
    return MmMapLockedPagesSpecifyCache(Mdl, Mode, Cache, Base, Check, Priority | KIT_MDL_BIT);
}

FORCEINLINE PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
    if (KitMdlFlags & 5) {
        return KitMapped;
    }
    return KitMap(Mdl, KernelMode, MmCached, NULL, FALSE, Priority);
}

/* A routine that is not there on every Windows is got by its name. */
KIT_ROUTINE(MmGetSystemRoutineAddress, 4, (PUNICODE_STRING))
KIT_ROUTINE(RtlInitUnicodeString, 8, (PUNICODE_STRING, const wchar_t *))
typedef PVOID(NTAPI *KitAllocate)(POOL_TYPE, SIZE_T, ULONG);

FORCEINLINE PVOID KitByName(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    UNICODE_STRING name;
    KitAllocate allocate;

    RtlInitUnicodeString(&name, L"ExAllocatePoolWithTag");
    allocate = (KitAllocate)MmGetSystemRoutineAddress(&name);
    return allocate == NULL ? NULL : allocate(Type, Size, Tag);
}

FORCEINLINE PVOID KitByConstantName(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    static const wchar_t text[] = L"ExAllocatePoolWithTag";
    UNICODE_STRING name = { sizeof(text) - sizeof(wchar_t), sizeof(text), (WCHAR *)text };

    return ((KitAllocate)MmGetSystemRoutineAddress(&name))(Type, Size, Tag);
}

#define ExAllocatePool(Type, Size) ExAllocatePoolWithTag(Type, Size, ' kdD')
#define ExAllocatePoolWithQuota(Type, Size) ExAllocatePoolWithQuotaTag(Type, Size, ' kdD')
#define MmGetSystemAddressForMdl(Mdl) ((KitMdlFlags & 5) ? KitMapped : MmMapLockedPages(Mdl, KernelMode))
#define ExInitializeNPagedLookasideList KitLookaside
#define MmMapLockedPagesSpecifyCache KitMap
#endif
