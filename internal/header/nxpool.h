/* SPDX-License-Identifier: 0BSD */
/*
 * nxpool.h - the no-execute pool opt-ins for kits whose headers have none: mingw-w64, ReactOS, and Microsoft's from
 * before Windows 8.
 *
 * Permission to use, copy, modify, and/or distribute this file for any purpose, in any driver, is hereby granted.
 * It is provided as is, without warranty of any kind.
 *
 * Include it after the kit's own wdm.h, ntddk.h or ntifs.h, in every file, or force it onto the command line:
 *     gcc -include ntddk.h -include nxpool.h        cl /FIntddk.h /FInxpool.h
 *
 *     POOL_NX_OPTIN       one binary for all Windows versions: nonpaged pool is executable until DriverEntry calls
 *                         ExInitializeDriverRuntime(DrvRtPoolNxOptIn), and no-execute after it on Windows 8 and later
 *     POOL_NX_OPTIN_AUTO  no-execute at compile time, for binaries that never run below Windows 8
 *     POOL_NX_OPTOUT      non-zero: this file keeps executable pool
 *
 * Under either opt-in the macros decide where this file is included: define POOL_NX_OPTOUT before that.
 */
#ifndef NXPOOL_H
#define NXPOOL_H

#if !defined(_WDMDDK_) && !defined(_NTDDK_) && !defined(_NTIFS_)
#error nxpool.h must be included after wdm.h, ntddk.h or ntifs.h
#endif

/*
 * Microsoft's kits know the opt-ins since Windows 8, and after them this file changes nothing. Under an opt-in they are
 * told by NonPagedPool, which they have made a macro; else by the flags for mappings, which ReactOS has too, without
 * the opt-ins. -DNXPOOL_KIT_KNOWS_NX=0 or =1 overrides the answer.
 */
#ifndef NXPOOL_KIT_KNOWS_NX
#if !POOL_NX_OPTOUT && (defined(POOL_NX_OPTIN) || defined(POOL_NX_OPTIN_AUTO))
#ifdef NonPagedPool
#define NXPOOL_KIT_KNOWS_NX 1
#endif
#elif defined(MdlMappingNoExecute) && defined(MdlMappingNoWrite) && !defined(__MINGW32__) && !defined(__REACTOS__)
#define NXPOOL_KIT_KNOWS_NX 1
#endif
#endif

#if !NXPOOL_KIT_KNOWS_NX

/*
 * The values. As macros, because the preprocessor cannot ask whether an enumerator exists; where one does, the macro
 * stands for the same value.
 */
#ifndef NonPagedPoolExecute
#define NonPagedPoolExecute ((POOL_TYPE)0)
#endif
#ifndef NonPagedPoolNx
#define NonPagedPoolNx ((POOL_TYPE)512)
#endif
#ifndef NonPagedPoolNxCacheAligned
#define NonPagedPoolNxCacheAligned ((POOL_TYPE)516)
#endif
#ifndef NonPagedPoolSessionNx
#define NonPagedPoolSessionNx ((POOL_TYPE)544)
#endif
#ifndef POOL_NX_ALLOCATION
#define POOL_NX_ALLOCATION 512
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute 0x40000000
#endif

/* Windows on ARM starts at Windows 8, so nothing is left to decide at run time. The system itself is _NTOS_. */
#if !defined(_X86_) && !defined(_AMD64_) && !defined(_M_IX86) && !defined(_M_X64) && !defined(__i386__) && \
    !defined(__x86_64__) && !defined(_NTOS_)
#undef POOL_NX_OPTIN
#ifndef POOL_NX_OPTIN_AUTO
#define POOL_NX_OPTIN_AUTO 1
#endif
#endif

/* What is inlined wherever it is called, and nowhere where it is not; mingw's __forceinline means something else. */
#ifdef _MSC_VER
#define NXPOOL_INLINE __forceinline
#else
#define NXPOOL_INLINE static __inline__ __attribute__((__always_inline__, __unused__))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The type, and the bit for mappings, that this file's requests get: NXPOOL_TYPE and NXPOOL_MDL. */
#if !POOL_NX_OPTOUT && defined(POOL_NX_OPTIN_AUTO)

#ifdef POOL_NX_OPTIN
#error POOL_NX_OPTIN and POOL_NX_OPTIN_AUTO exclude each other: choose one
#endif
#define NXPOOL_TYPE NonPagedPoolNx
#define NXPOOL_TYPE_CACHE_ALIGNED NonPagedPoolNxCacheAligned
#define NXPOOL_MDL MdlMappingNoExecute

#elif !POOL_NX_OPTOUT && defined(POOL_NX_OPTIN)

/* selectany: each file defines them and the linker keeps one pair. They start as Windows 7 needs them. */
__declspec(selectany) POOL_TYPE ExDefaultNonPagedPoolType = NonPagedPoolExecute;
__declspec(selectany) ULONG ExDefaultMdlProtection = 0;

#define NXPOOL_TYPE ExDefaultNonPagedPoolType
#define NXPOOL_TYPE_CACHE_ALIGNED ((POOL_TYPE)(ExDefaultNonPagedPoolType + 4))
#define NXPOOL_MDL ExDefaultMdlProtection

/* RtlGetVersion, which mingw declares in ntddk.h alone: so that a file with only wdm.h can make the call as well. */
#if defined(__MINGW32__) || defined(__REACTOS__)
struct _OSVERSIONINFOW;
NTSYSAPI NTSTATUS NTAPI RtlGetVersion(struct _OSVERSIONINFOW *);
#endif

#endif

enum { DrvRtPoolNxOptIn = 1 };

/* Call it first in DriverEntry; in a file without POOL_NX_OPTIN it does nothing, as the kit's does. */
NXPOOL_INLINE VOID ExInitializeDriverRuntime(ULONG RuntimeFlags)
{
#if !POOL_NX_OPTOUT && defined(POOL_NX_OPTIN)
    /* RTL_OSVERSIONINFOW as words: size, major, minor, build, platform, and a text of 128 characters */
    ULONG Version[(5 * sizeof(ULONG) + 128 * sizeof(WCHAR)) / sizeof(ULONG)];

    if ((RuntimeFlags & DrvRtPoolNxOptIn) == 0) {
        return;
    }
    Version[0] = sizeof(Version);
    if (!NT_SUCCESS(RtlGetVersion((struct _OSVERSIONINFOW *)Version))) {
        return;
    }
    if (Version[1] > 6 || (Version[1] == 6 && Version[2] >= 2)) {
        ExDefaultNonPagedPoolType = NonPagedPoolNx;
        ExDefaultMdlProtection = MdlMappingNoExecute;
    }
#else
    (void)RuntimeFlags;
#endif
}

#ifdef NXPOOL_TYPE

#undef NonPagedPool
#define NonPagedPool NXPOOL_TYPE
#undef NonPagedPoolCacheAligned
#define NonPagedPoolCacheAligned NXPOOL_TYPE_CACHE_ALIGNED

/* A macro is not expanded within itself, so these call the routine of the same name. */
#define ExInitializeNPagedLookasideList(Lookaside, Allocate, Free, Flags, Size, Tag, Depth) \
    ExInitializeNPagedLookasideList((Lookaside), (Allocate), (Free), (Flags) | (ULONG)NXPOOL_TYPE, \
                                    (Size), (Tag), (Depth))

#define NXPOOL_PRIORITY(Priority) ((MM_PAGE_PRIORITY)((ULONG)(Priority) | NXPOOL_MDL))

#define MmMapLockedPagesSpecifyCache(Mdl, AccessMode, CacheType, Address, BugCheckOnFailure, Priority) \
    MmMapLockedPagesSpecifyCache((Mdl), (AccessMode), (CacheType), (Address), (BugCheckOnFailure), \
                                 NXPOOL_PRIORITY(Priority))

/*
 * Where the kit's is a macro (mingw-w64, Microsoft's older ones) it now expands to the above; where it is an inline
 * function, that has been compiled already and must be handed the bit.
 */
#ifndef MmGetSystemAddressForMdlSafe
#define MmGetSystemAddressForMdlSafe(Mdl, Priority) MmGetSystemAddressForMdlSafe((Mdl), NXPOOL_PRIORITY(Priority))
#endif

#endif /* NXPOOL_TYPE */

#ifdef __cplusplus
}
#endif

#endif /* !NXPOOL_KIT_KNOWS_NX */
#endif /* NXPOOL_H */
