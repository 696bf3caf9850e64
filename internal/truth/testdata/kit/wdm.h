/*
 * A kit for drivers that are compiled natively and run. It is written from the page on the semantics of the mechanisms and
 * from the reference pages of the routines, and shares nothing with nxport's own table: each routine tells the kernel
 * (kernel.c) which value it was asked with, and in which line.
 */
#ifndef KIT_ROUTINES
#define KIT_ROUTINES
#include <types.h>

KIT_EXTERN PVOID KernelRequest(const char *File, int Line, const char *Name, unsigned long long Value);

/* KIT_ROUTINE declares a routine that tells the kernel of a value among its parameters. */
#define KIT_PLACE const char *KitFile, int KitLine
#define KIT_ROUTINE(Name, Parameters, Value) \
    static __inline PVOID Kit##Name Parameters { return KernelRequest(KitFile, KitLine, #Name, (unsigned long long)(Value)); }

KIT_ROUTINE(ExAllocatePool, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T), PoolType)
KIT_ROUTINE(ExAllocatePoolWithTag, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolWithQuota, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T), PoolType)
KIT_ROUTINE(ExAllocatePoolWithQuotaTag, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolWithTagPriority, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG, EX_POOL_PRIORITY), PoolType)
KIT_ROUTINE(ExAllocatePoolZero, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolUninitialized, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolQuotaZero, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolQuotaUninitialized, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(ExAllocatePoolPriorityZero, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG, EX_POOL_PRIORITY), PoolType)
KIT_ROUTINE(ExAllocatePoolPriorityUninitialized, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG, EX_POOL_PRIORITY), PoolType)
KIT_ROUTINE(ExAllocatePool2, (KIT_PLACE, POOL_FLAGS Flags, SIZE_T, ULONG), Flags)
KIT_ROUTINE(ExAllocatePool3, (KIT_PLACE, POOL_FLAGS Flags, SIZE_T, ULONG, PVOID, ULONG), Flags)
KIT_ROUTINE(ExInitializeNPagedLookasideList,
    (KIT_PLACE, PNPAGED_LOOKASIDE_LIST, PALLOCATE_FUNCTION, PFREE_FUNCTION, ULONG Flags, SIZE_T, ULONG, USHORT), Flags)
KIT_ROUTINE(ExInitializeLookasideListEx,
    (KIT_PLACE, PLOOKASIDE_LIST_EX, PVOID, PVOID, POOL_TYPE PoolType, ULONG, SIZE_T, ULONG, USHORT), PoolType)
KIT_ROUTINE(MmMapLockedPagesSpecifyCache, (KIT_PLACE, PMDL, MODE, MEMORY_CACHING_TYPE, PVOID, ULONG, ULONG Priority), Priority)
KIT_ROUTINE(MmGetSystemAddressForMdlSafe, (KIT_PLACE, PMDL, ULONG Priority), Priority)
KIT_ROUTINE(MmMapLockedPages, (KIT_PLACE, PMDL, MODE), 0)
KIT_ROUTINE(MmGetSystemAddressForMdl, (KIT_PLACE, PMDL), 0)
KIT_ROUTINE(ExAllocateCacheAwareRundownProtection, (KIT_PLACE, POOL_TYPE PoolType, ULONG), PoolType)
KIT_ROUTINE(FsRtlAllocatePool, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T), PoolType)
KIT_ROUTINE(FsRtlAllocatePoolWithTag, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(FsRtlAllocatePoolWithQuota, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T), PoolType)
KIT_ROUTINE(FsRtlAllocatePoolWithQuotaTag, (KIT_PLACE, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(FsRtlInitializeMcb, (KIT_PLACE, PVOID Mcb, POOL_TYPE PoolType), PoolType)
KIT_ROUTINE(FsRtlInitializeLargeMcb, (KIT_PLACE, PVOID Mcb, POOL_TYPE PoolType), PoolType)
KIT_ROUTINE(FltAllocatePoolAlignedWithTag, (KIT_PLACE, PVOID Instance, POOL_TYPE PoolType, SIZE_T, ULONG), PoolType)
KIT_ROUTINE(FltAllocateContext, (KIT_PLACE, PVOID Filter, USHORT, SIZE_T, POOL_TYPE PoolType, PVOID *), PoolType)
KIT_ROUTINE(SeSetSecurityDescriptorInfo,
    (KIT_PLACE, PVOID Object, PULONG, PVOID, PVOID *, POOL_TYPE PoolType, PVOID), PoolType)
KIT_ROUTINE(ChangerClassAllocatePool, (KIT_PLACE, POOL_TYPE PoolType, ULONG), PoolType)
KIT_ROUTINE(WdfMemoryCreate,
    (KIT_PLACE, PVOID Attributes, POOL_TYPE PoolType, ULONG, SIZE_T, PVOID *, PVOID *), PoolType)
KIT_ROUTINE(WdfRegistryQueryMemory,
    (KIT_PLACE, PVOID Key, PUNICODE_STRING, POOL_TYPE PoolType, PVOID, PVOID *, PULONG), PoolType)
KIT_ROUTINE(MmAllocateContiguousMemory, (KIT_PLACE, SIZE_T, PHYSICAL_ADDRESS), 0)
KIT_ROUTINE(MmAllocateContiguousMemorySpecifyCache,
    (KIT_PLACE, SIZE_T, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, MEMORY_CACHING_TYPE Cache), Cache)
KIT_ROUTINE(MmAllocateContiguousNodeMemory,
    (KIT_PLACE, SIZE_T, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, ULONG Protect, ULONG), Protect)
KIT_ROUTINE(MmMapIoSpace, (KIT_PLACE, PHYSICAL_ADDRESS, SIZE_T, MEMORY_CACHING_TYPE), 0)
KIT_ROUTINE(MmMapIoSpaceEx, (KIT_PLACE, PHYSICAL_ADDRESS, SIZE_T, ULONG Protect), Protect)
KIT_ROUTINE(MmProtectMdlSystemAddress, (KIT_PLACE, PMDL, ULONG Protect), Protect)
KIT_ROUTINE(ZwCreateSection, (KIT_PLACE, PVOID *, ULONG, PVOID, PVOID, ULONG Protect, ULONG, PVOID), Protect)
KIT_ROUTINE(ZwMapViewOfSection,
    (KIT_PLACE, PVOID, PVOID, PVOID *, ULONG_PTR, SIZE_T, PVOID, SIZE_T *, ULONG, ULONG, ULONG Protect), Protect)
KIT_ROUTINE(ZwAllocateVirtualMemory, (KIT_PLACE, PVOID, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG Protect), Protect)
#endif

#ifndef _WDMDDK_
#define _WDMDDK_
#include <optin.h>

#define KIT_AT __FILE__, __LINE__
#define ExAllocatePool(...) KitExAllocatePool(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolWithTag(...) KitExAllocatePoolWithTag(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolWithQuota(...) KitExAllocatePoolWithQuota(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolWithQuotaTag(...) KitExAllocatePoolWithQuotaTag(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolWithTagPriority(...) KitExAllocatePoolWithTagPriority(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolZero(...) KitExAllocatePoolZero(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolUninitialized(...) KitExAllocatePoolUninitialized(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolQuotaZero(...) KitExAllocatePoolQuotaZero(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolQuotaUninitialized(...) KitExAllocatePoolQuotaUninitialized(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolPriorityZero(...) KitExAllocatePoolPriorityZero(KIT_AT, __VA_ARGS__)
#define ExAllocatePoolPriorityUninitialized(...) KitExAllocatePoolPriorityUninitialized(KIT_AT, __VA_ARGS__)
#define KitByName(...) KitExAllocatePoolWithTag(KIT_AT, __VA_ARGS__)
#define KitByConstantName(...) KitExAllocatePoolWithTag(KIT_AT, __VA_ARGS__)
#define ExAllocatePool2(...) KitExAllocatePool2(KIT_AT, __VA_ARGS__)
#define ExAllocatePool3(...) KitExAllocatePool3(KIT_AT, __VA_ARGS__)
#define ExInitializeNPagedLookasideList(L, A, F, Flags, ...) \
    KitExInitializeNPagedLookasideList(KIT_AT, L, A, F, (Flags) | KIT_POOL_BIT, __VA_ARGS__)
#define ExInitializeLookasideListEx(...) KitExInitializeLookasideListEx(KIT_AT, __VA_ARGS__)
#define MmMapLockedPagesSpecifyCache(M, Mode, Cache, Base, Check, Priority) \
    KitMmMapLockedPagesSpecifyCache(KIT_AT, M, Mode, Cache, Base, Check, (Priority) | KIT_MDL_BIT)
#define MmGetSystemAddressForMdlSafe(M, Priority) KitMmGetSystemAddressForMdlSafe(KIT_AT, M, (Priority) | KIT_MDL_BIT)
#define MmMapLockedPages(...) KitMmMapLockedPages(KIT_AT, __VA_ARGS__)
#define MmGetSystemAddressForMdl(...) KitMmGetSystemAddressForMdl(KIT_AT, __VA_ARGS__)
#define ExAllocateCacheAwareRundownProtection(...) KitExAllocateCacheAwareRundownProtection(KIT_AT, __VA_ARGS__)
#define FsRtlAllocatePool(...) KitFsRtlAllocatePool(KIT_AT, __VA_ARGS__)
#define FsRtlAllocatePoolWithTag(...) KitFsRtlAllocatePoolWithTag(KIT_AT, __VA_ARGS__)
#define FsRtlAllocatePoolWithQuota(...) KitFsRtlAllocatePoolWithQuota(KIT_AT, __VA_ARGS__)
#define FsRtlAllocatePoolWithQuotaTag(...) KitFsRtlAllocatePoolWithQuotaTag(KIT_AT, __VA_ARGS__)
#define FsRtlInitializeMcb(...) KitFsRtlInitializeMcb(KIT_AT, __VA_ARGS__)
#define FsRtlInitializeLargeMcb(...) KitFsRtlInitializeLargeMcb(KIT_AT, __VA_ARGS__)
#define FltAllocatePoolAlignedWithTag(...) KitFltAllocatePoolAlignedWithTag(KIT_AT, __VA_ARGS__)
#define FltAllocateContext(...) KitFltAllocateContext(KIT_AT, __VA_ARGS__)
#define SeSetSecurityDescriptorInfo(...) KitSeSetSecurityDescriptorInfo(KIT_AT, __VA_ARGS__)
#define ChangerClassAllocatePool(...) KitChangerClassAllocatePool(KIT_AT, __VA_ARGS__)
#define WdfMemoryCreate(...) KitWdfMemoryCreate(KIT_AT, __VA_ARGS__)
#define WdfRegistryQueryMemory(...) KitWdfRegistryQueryMemory(KIT_AT, __VA_ARGS__)
#define MmAllocateContiguousMemory(...) KitMmAllocateContiguousMemory(KIT_AT, __VA_ARGS__)
#define MmAllocateContiguousMemorySpecifyCache(...) KitMmAllocateContiguousMemorySpecifyCache(KIT_AT, __VA_ARGS__)
#define MmAllocateContiguousNodeMemory(...) KitMmAllocateContiguousNodeMemory(KIT_AT, __VA_ARGS__)
#define MmMapIoSpace(...) KitMmMapIoSpace(KIT_AT, __VA_ARGS__)
#define MmMapIoSpaceEx(...) KitMmMapIoSpaceEx(KIT_AT, __VA_ARGS__)
#define MmProtectMdlSystemAddress(...) KitMmProtectMdlSystemAddress(KIT_AT, __VA_ARGS__)
#define ZwCreateSection(...) KitZwCreateSection(KIT_AT, __VA_ARGS__)
#define ZwMapViewOfSection(...) KitZwMapViewOfSection(KIT_AT, __VA_ARGS__)
#define ZwAllocateVirtualMemory(...) KitZwAllocateVirtualMemory(KIT_AT, __VA_ARGS__)
#endif
