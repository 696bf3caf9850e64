/* What both kits have: that which records (wdm.h), and that for images (../imports/wdm.h). */
#ifndef KIT_TYPES
#define KIT_TYPES

typedef void VOID, *PVOID;
typedef int NTSTATUS, BOOLEAN;
typedef unsigned int ULONG, *PULONG;
typedef unsigned short USHORT, WCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef __SIZE_TYPE__ SIZE_T, ULONG_PTR;
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
#define _In_
#define _In_reads_(n)
#define _IRQL_requires_max_(n)
#define __drv_allocatesMem(n)
#ifdef __cplusplus
#define KIT_EXTERN extern "C"
#else
#define KIT_EXTERN extern
#endif
#ifdef KIT_IMAGE
#define NTAPI __stdcall
#define KIT_IMPORT KIT_EXTERN __declspec(dllimport)
#else
#define NTAPI
#define KIT_IMPORT KIT_EXTERN
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
KIT_IMPORT NTSTATUS NTAPI RtlGetVersion(RTL_OSVERSIONINFOW *);
KIT_IMPORT int NTAPI Way(int n);

/* The two variables of an image: each unit of it that sees the header has them, and the linker keeps one. */
#ifdef KIT_IMAGE
#define KIT_ONE __declspec(selectany)
#else
#define KIT_ONE __attribute__((weak))
#endif
#ifdef __cplusplus
extern "C" {
#endif
KIT_ONE POOL_TYPE ExDefaultNonPagedPoolType = NonPagedPoolExecute;
KIT_ONE ULONG ExDefaultMdlProtection = 0;
#ifdef __cplusplus
}
#endif

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

/* What drivers ask for by hand. */
FORCEINLINE int KitAtLeast(ULONG Major, ULONG Minor)
{
    RTL_OSVERSIONINFOW v;

    v.dwOSVersionInfoSize = sizeof(v);
    return RtlGetVersion(&v) >= 0 && (v.dwMajorVersion > Major || v.dwMajorVersion == Major && v.dwMinorVersion >= Minor);
}

FORCEINLINE void KitNoOptIn(ULONG Flags)
{
    (void)Flags;
}
#endif
