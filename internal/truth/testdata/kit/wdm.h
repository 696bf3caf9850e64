/*
 * A kit for drivers that are compiled natively and run. It is written from the page on the semantics of the mechanisms and
 * from the reference pages of the routines, and shares nothing with nxport's own table: each routine tells the kernel
 * (kernel.c) which value it was asked with, and in which line.
 */
#ifndef KIT_TYPES
#define KIT_TYPES

typedef void VOID, *PVOID;
typedef int NTSTATUS, BOOLEAN;
typedef unsigned int ULONG, *PULONG;
typedef unsigned short USHORT, WCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned long SIZE_T, ULONG_PTR;
typedef long long PHYSICAL_ADDRESS;
#define NULL 0
#define FALSE 0
#define TRUE 1
#define STATUS_SUCCESS 0
#define STATUS_NO_MEMORY (-2)
#define STATUS_INSUFFICIENT_RESOURCES (-1)
#define NT_SUCCESS(Status) ((Status) >= 0)
#define UNREFERENCED_PARAMETER(P) ((void)(P))
#define FORCEINLINE static __inline __attribute__((always_inline))
#define NTAPI
#define _In_
#define _In_reads_(n)
#define _IRQL_requires_max_(n)
#define __drv_allocatesMem(n)
#ifdef __cplusplus
#define KIT_EXTERN extern "C"
#else
#define KIT_EXTERN extern
#endif

/* Names and values of POOL_TYPE and of what is OR-ed into it. */
typedef enum _POOL_TYPE {
    NonPagedPool,
    NonPagedPoolExecute = NonPagedPool,
    PagedPool,
    NonPagedPoolMustSucceed,
    DontUseThisType,
    NonPagedPoolCacheAligned,
    PagedPoolCacheAligned,
    NonPagedPoolCacheAlignedMustS,
    NonPagedPoolBase = 0,
    NonPagedPoolBaseMustSucceed = 2,
    NonPagedPoolBaseCacheAligned = 4,
    NonPagedPoolSession = 32,
    PagedPoolSession,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516,
    NonPagedPoolSessionNx = 544
} POOL_TYPE;
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#define POOL_COLD_ALLOCATION 256
#define POOL_NX_ALLOCATION 512
#define POOL_ZERO_ALLOCATION 1024

typedef unsigned long long POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x1ULL
#define POOL_FLAG_UNINITIALIZED 0x2ULL
#define POOL_FLAG_SESSION 0x4ULL
#define POOL_FLAG_CACHE_ALIGNED 0x8ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x20ULL
#define POOL_FLAG_NON_PAGED 0x40ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x80ULL
#define POOL_FLAG_PAGED 0x100ULL

typedef enum _MM_PAGE_PRIORITY { LowPagePriority, NormalPagePriority = 16, HighPagePriority = 32 } MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
typedef enum _MEMORY_CACHING_TYPE { MmNonCached, MmCached, MmWriteCombined } MEMORY_CACHING_TYPE;
typedef enum _EX_POOL_PRIORITY { LowPoolPriority, NormalPoolPriority = 16, HighPoolPriority = 32 } EX_POOL_PRIORITY;
typedef enum _MODE { KernelMode, UserMode } MODE;
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE_READ 0x20
#define PAGE_NOCACHE 0x200
#define PAGE_EXECUTE_READWRITE 0x40
#define DrvRtPoolNxOptIn 1

typedef PVOID (*PALLOCATE_FUNCTION)(POOL_TYPE, SIZE_T, ULONG);
typedef VOID (*PFREE_FUNCTION)(PVOID);
typedef struct _MDL { int Size; } MDL, *PMDL;
typedef struct _NPAGED_LOOKASIDE_LIST { int Depth; } NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST;
typedef struct _LOOKASIDE_LIST_EX { int Depth; } LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;
typedef struct _UNICODE_STRING { USHORT Length, MaximumLength; WCHAR *Buffer; } UNICODE_STRING, *PUNICODE_STRING;
typedef struct _IRP { int Type; } IRP, *PIRP;
typedef struct _DEVICE_OBJECT { int Type; } DEVICE_OBJECT, *PDEVICE_OBJECT;
typedef NTSTATUS DRIVER_DISPATCH(PDEVICE_OBJECT, PIRP);
typedef struct _DRIVER_OBJECT {
    void (*DriverUnload)(struct _DRIVER_OBJECT *);
    DRIVER_DISPATCH *MajorFunction[4];
} DRIVER_OBJECT, *PDRIVER_OBJECT;
typedef struct _OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize, dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId;
    WCHAR szCSDVersion[128];
} RTL_OSVERSIONINFOW;

/* The kernel. Way is its input: which of two ways the driver is to go at its n-th choice. */
KIT_EXTERN PVOID KernelRequest(const char *File, int Line, const char *Name, unsigned long long Value);
KIT_EXTERN NTSTATUS RtlGetVersion(RTL_OSVERSIONINFOW *);
KIT_EXTERN int Way(int n);

/* The two variables of an image: each unit of it that sees the header has them, and the linker keeps one. */
KIT_EXTERN POOL_TYPE ExDefaultNonPagedPoolType;
KIT_EXTERN ULONG ExDefaultMdlProtection;
__attribute__((weak)) POOL_TYPE ExDefaultNonPagedPoolType = NonPagedPoolExecute;
__attribute__((weak)) ULONG ExDefaultMdlProtection = 0;

FORCEINLINE void KitOptIn(ULONG Flags)
{
    RTL_OSVERSIONINFOW v;

    v.dwOSVersionInfoSize = sizeof(v);
    if (RtlGetVersion(&v) < 0) {
        v.dwMajorVersion = 5;
        v.dwMinorVersion = 0;
    }
    if ((Flags & DrvRtPoolNxOptIn) && (v.dwMajorVersion > 6 || v.dwMajorVersion == 6 && v.dwMinorVersion >= 2)) {
        ExDefaultNonPagedPoolType = NonPagedPoolNx;
        ExDefaultMdlProtection = MdlMappingNoExecute;
    }
}

FORCEINLINE void KitNoOptIn(ULONG Flags)
{
    (void)Flags;
}

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

/* What wdm.h does once in each source, given the macros as they stand here. x64: other processors opt in by themselves. */
#ifndef _WDMDDK_
#define _WDMDDK_

#define KIT_POOL_BIT 0
#define KIT_MDL_BIT 0
#define ExInitializeDriverRuntime KitNoOptIn
#if !POOL_NX_OPTOUT
#if POOL_NX_OPTIN_AUTO
#undef KIT_POOL_BIT
#undef KIT_MDL_BIT
#define NonPagedPool NonPagedPoolNx
#define NonPagedPoolCacheAligned NonPagedPoolNxCacheAligned
#define KIT_POOL_BIT POOL_NX_ALLOCATION
#define KIT_MDL_BIT MdlMappingNoExecute
#elif POOL_NX_OPTIN
#undef KIT_POOL_BIT
#undef KIT_MDL_BIT
#undef ExInitializeDriverRuntime
#define NonPagedPool ExDefaultNonPagedPoolType
#define NonPagedPoolCacheAligned ((POOL_TYPE)(ExDefaultNonPagedPoolType + 4))
#define KIT_POOL_BIT ExDefaultNonPagedPoolType
#define KIT_MDL_BIT ExDefaultMdlProtection
#define ExInitializeDriverRuntime KitOptIn
#endif
#endif

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
