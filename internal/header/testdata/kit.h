/* What nxpool.h needs of a driver kit, as a kit from before Windows 8 declares it. KIT_INLINE: as later ones do. */
#ifndef KIT_H
#define KIT_H
#define _WDMDDK_

#ifndef _MSC_VER /* run natively: a weak definition merges as a selectany one does */
#define __declspec(x) __attribute__((__weak__))
#endif
#define NTSYSAPI
#define NTAPI
#define VOID void
#define NT_SUCCESS(Status) ((Status) >= 0)

typedef unsigned int ULONG;
typedef unsigned short WCHAR;
typedef int NTSTATUS;
typedef void *PVOID;

typedef enum { NonPagedPool, PagedPool, NonPagedPoolMustSucceed, NonPagedPoolCacheAligned = 4, NonPagedPoolSession = 32 } POOL_TYPE;
typedef enum { LowPagePriority, NormalPagePriority = 16 } MM_PAGE_PRIORITY;
typedef struct _OSVERSIONINFOW { ULONG Size, Major, Minor, Build, Platform; WCHAR Text[128]; } RTL_OSVERSIONINFOW;

#ifdef __cplusplus
extern "C" {
#endif
NTSTATUS RtlGetVersion(struct _OSVERSIONINFOW *);
PVOID ExAllocatePoolWithTag(POOL_TYPE, unsigned long, ULONG);
void ExInitializeNPagedLookasideList(PVOID, PVOID, PVOID, ULONG, unsigned long, ULONG, unsigned short);
PVOID MmMapLockedPagesSpecifyCache(PVOID, int, int, PVOID, ULONG, MM_PAGE_PRIORITY);
#ifdef KIT_INLINE
static __inline PVOID MmGetSystemAddressForMdlSafe(PVOID Mdl, MM_PAGE_PRIORITY Priority)
{
    return MmMapLockedPagesSpecifyCache(Mdl, 0, 1, 0, 0, Priority);
}
#else
#define MmGetSystemAddressForMdlSafe(Mdl, Priority) MmMapLockedPagesSpecifyCache((Mdl), 0, 1, 0, 0, (Priority))
#endif
#ifdef __cplusplus
}
#endif

#ifdef KIT_KNOWS_NX
#define MdlMappingNoExecute 0x40000000
#define MdlMappingNoWrite 0x80000000
#ifdef POOL_NX_OPTIN_AUTO
#define NonPagedPool 512
#elif defined(POOL_NX_OPTIN)
#define NonPagedPool ExDefaultNonPagedPoolType
extern POOL_TYPE ExDefaultNonPagedPoolType;
#endif
#endif
#endif
