/* What nxpool.h needs of wdm.h, as a kit from before Windows 8 declares it. KIT_INLINE: as later ones do. */
#ifndef KIT_H
#define KIT_H
#define _WDMDDK_

#if !defined(_WIN32) /* run natively: a weak definition merges as a selectany one does */
#define __declspec(x) __attribute__((__weak__))
#endif
#if defined(_MSC_VER)
#define FORCEINLINE __forceinline
#elif defined(__cplusplus)
#define FORCEINLINE inline __attribute__((__always_inline__))
#else
#define FORCEINLINE extern __inline__ __attribute__((__always_inline__, __gnu_inline__))
#endif
#define NTSYSAPI
#define NTAPI
#define VOID void
#ifndef NULL
#define NULL 0
#endif
#define NT_SUCCESS(Status) ((Status) >= 0)

typedef unsigned int ULONG;
typedef unsigned short WCHAR, USHORT;
typedef signed char KPROCESSOR_MODE;
typedef int NTSTATUS;
typedef void *PVOID;
typedef __SIZE_TYPE__ SIZE_T;

typedef enum _POOL_TYPE { NonPagedPool, PagedPool, NonPagedPoolMustSucceed, NonPagedPoolCacheAligned = 4, NonPagedPoolSession = 32 } POOL_TYPE;
typedef enum _MM_PAGE_PRIORITY { LowPagePriority, NormalPagePriority = 16 } MM_PAGE_PRIORITY;
typedef enum _MEMORY_CACHING_TYPE { MmNonCached, MmCached } MEMORY_CACHING_TYPE;
typedef struct _NPAGED_LOOKASIDE_LIST *PNPAGED_LOOKASIDE_LIST;
typedef struct _MDL *PMDL;
typedef PVOID (NTAPI *PALLOCATE_FUNCTION)(POOL_TYPE, SIZE_T, ULONG);
typedef void (NTAPI *PFREE_FUNCTION)(PVOID);
typedef struct _OSVERSIONINFOW { ULONG Size, Major, Minor, Build, Platform; WCHAR Text[128]; } RTL_OSVERSIONINFOW;

#ifdef __cplusplus
extern "C" {
#endif
PVOID ExAllocatePoolWithTag(POOL_TYPE, SIZE_T, ULONG);
#ifdef KIT_OTHER /* both names are macros or inline functions of the kit itself */
void ExLookaside(ULONG, PNPAGED_LOOKASIDE_LIST, PALLOCATE_FUNCTION, PFREE_FUNCTION, SIZE_T, ULONG, USHORT);
#define ExInitializeNPagedLookasideList(List, Allocate, Free, Flags, Size, Tag, Depth) \
    ExLookaside((Flags), (List), (Allocate), (Free), (Size), (Tag), (Depth))
PVOID MmMapPages(PMDL, KPROCESSOR_MODE, MEMORY_CACHING_TYPE, ULONG);
FORCEINLINE PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE Mode, MEMORY_CACHING_TYPE Cache, PVOID Address, ULONG BugCheck, ULONG Priority)
{
    return Address || BugCheck ? NULL : MmMapPages(Mdl, Mode, Cache, Priority);
}
#else
void ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST, PALLOCATE_FUNCTION, PFREE_FUNCTION, ULONG, SIZE_T, ULONG, USHORT);
PVOID MmMapLockedPagesSpecifyCache(PMDL, KPROCESSOR_MODE, MEMORY_CACHING_TYPE, PVOID, ULONG, MM_PAGE_PRIORITY);
#endif
#ifdef KIT_INLINE
FORCEINLINE PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
    return MmMapLockedPagesSpecifyCache(Mdl, 0, MmCached, NULL, 0, (MM_PAGE_PRIORITY)Priority);
}
#else
#define MmGetSystemAddressForMdlSafe(Mdl, Priority) MmMapLockedPagesSpecifyCache((Mdl), 0, MmCached, NULL, 0, (Priority))
#endif
#ifdef __cplusplus
}
#endif

/* What the kits since Windows 8 have: the names always, and under an opt-in what the names then stand for. */
#ifdef KIT_KNOWS_NX
#define POOL_NX_ALLOCATION 512
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
#if !defined(_AMD64_)
#undef POOL_NX_OPTIN
#define POOL_NX_OPTIN_AUTO 1
#endif
#if !POOL_NX_OPTOUT
#if POOL_NX_OPTIN_AUTO
#define NonPagedPool 512
#elif POOL_NX_OPTIN
extern POOL_TYPE ExDefaultNonPagedPoolType;
#define NonPagedPool ExDefaultNonPagedPoolType
#endif
#endif
void ExInitializeDriverRuntime(ULONG);
#endif
#endif
