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
 * What stands here under Microsoft's names means what it means in their wdm.h. As there, the three macros count by
 * their value, so that 0 is as good as not defined; and they decide at the point where this file is included, so that
 * one which is defined later, or in a file that gets this one out of a precompiled header, comes too late.
 *
 * Not here: the Session types, contiguous memory, MmMapIoSpace and page protections, which no opt-in changes; and
 * POOL_ZERO_DOWN_LEVEL_SUPPORT, which serves routines that these kits do not declare.
 */
#ifndef NXPOOL_H
#define NXPOOL_H

/* The pool types must be declared by now, or the kit would declare them after they have become macros. */
#if !defined(_WDMDDK_) && !defined(_NTDDK_) && !defined(_NTIFS_)
#error nxpool.h must be included after wdm.h, ntddk.h or ntifs.h
#endif

/*
 * Microsoft's kits know the opt-ins since Windows 8, and after them this file changes nothing. They are told by a
 * NonPagedPool that they have made a macro; where they had no reason to, by the names that came with the opt-ins. Of
 * those mingw-w64 and ReactOS have some, without the opt-ins. -DNXPOOL_KIT_KNOWS_NX=0 or =1 overrides the answer.
 */
#ifndef NXPOOL_KIT_KNOWS_NX
#if defined(NonPagedPool)
#define NXPOOL_KIT_KNOWS_NX 1
#elif defined(__MINGW32__) || defined(__REACTOS__)
#define NXPOOL_KIT_KNOWS_NX 0
#elif defined(POOL_NX_ALLOCATION) && defined(MdlMappingNoExecute) && defined(MdlMappingNoWrite)
#define NXPOOL_KIT_KNOWS_NX 1
#else
#define NXPOOL_KIT_KNOWS_NX 0
#endif
#endif

#if !NXPOOL_KIT_KNOWS_NX

/*
 * The values, which every Windows since 8 takes, for what is written below: a driver may have given the names another
 * meaning, such as NonPagedPool for NonPagedPoolNx, to get along with its old kit.
 */
#define NXPOOL_EXECUTE ((POOL_TYPE)0)
#define NXPOOL_NX ((POOL_TYPE)512)
#define NXPOOL_NX_CACHE_ALIGNED ((POOL_TYPE)516)
#define NXPOOL_NO_EXECUTE 0x40000000

/*
 * The names, for drivers. They are macros, because the preprocessor can not ask whether there is an enumerator; where
 * there is one, as in mingw-w64, the macro stands for the same value. (In C++, clang since version 16 refuses 512 as a
 * label of a switch where the kit's POOL_TYPE has no enumerator as large: -Wno-enum-constexpr-conversion.)
 */
#ifndef NonPagedPoolExecute
#define NonPagedPoolExecute NXPOOL_EXECUTE
#endif
#ifndef NonPagedPoolNx
#define NonPagedPoolNx NXPOOL_NX
#endif
#ifndef NonPagedPoolNxCacheAligned
#define NonPagedPoolNxCacheAligned NXPOOL_NX_CACHE_ALIGNED
#endif
#ifndef NonPagedPoolSessionNx
#define NonPagedPoolSessionNx ((POOL_TYPE)544)
#endif
#ifndef POOL_NX_ALLOCATION
#define POOL_NX_ALLOCATION 512
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute NXPOOL_NO_EXECUTE
#endif

/*
 * Windows on ARM starts at Windows 8, so nothing is left to decide at run time, and whatever a file defines there is
 * POOL_NX_OPTIN_AUTO: wdm.h does the same. _X86_ and _AMD64_ are what it asks for; a file that defines neither is told
 * by its compiler. _NTOS_ is the system itself, which takes pool types apart.
 */
#if !defined(_X86_) && !defined(_AMD64_) && !defined(_M_IX86) && !defined(_M_X64) && !defined(__i386__) && \
    !defined(__x86_64__) && !defined(_NTOS_)
#undef POOL_NX_OPTIN
#undef POOL_NX_OPTIN_AUTO
#define POOL_NX_OPTIN_AUTO 1
#endif

/*
 * What this file is: NXPOOL_AUTO, NXPOOL_RUN_TIME, or neither. defined() is asked first for the sake of -Wundef.
 * Both opt-ins at once do not compile with wdm.h either, which then has a call, but nothing for it to set.
 */
#if !defined(POOL_NX_OPTOUT) || !POOL_NX_OPTOUT
#if defined(POOL_NX_OPTIN_AUTO) && POOL_NX_OPTIN_AUTO
#define NXPOOL_AUTO 1
#endif
#if defined(POOL_NX_OPTIN) && POOL_NX_OPTIN
#ifdef NXPOOL_AUTO
#error POOL_NX_OPTIN and POOL_NX_OPTIN_AUTO exclude each other: choose one
#endif
#define NXPOOL_RUN_TIME 1
#endif
#endif

/* One name for C and C++, or an image of both would have two pairs of variables, of which the call sets one. */
#ifdef __cplusplus
extern "C" {
#endif

/* The type, and the bit for mappings, that this file's requests get. */
#if defined(NXPOOL_AUTO)

#define NXPOOL_TYPE NXPOOL_NX
#define NXPOOL_TYPE_CACHE_ALIGNED NXPOOL_NX_CACHE_ALIGNED
#define NXPOOL_MDL NXPOOL_NO_EXECUTE

#elif defined(NXPOOL_RUN_TIME)

/*
 * selectany: every object file and library has them, and the linker keeps one pair for the image. They start as
 * Windows 7 needs them: what no call has set is executable. gcc forgets selectany where it has seen a declaration
 * before; then the linker finds several, and says so. GNU ld tells copies by their sections: those of clang must stand
 * where those of gcc do.
 */
#if defined(__clang__) && defined(__MINGW32__)
#define NXPOOL_PLACE(Name) __attribute__((__section__(".data$" Name)))
#else
#define NXPOOL_PLACE(Name)
#endif
NXPOOL_PLACE("ExDefaultNonPagedPoolType") __declspec(selectany) POOL_TYPE ExDefaultNonPagedPoolType = NXPOOL_EXECUTE;
NXPOOL_PLACE("ExDefaultMdlProtection") __declspec(selectany) ULONG ExDefaultMdlProtection = 0;

#define NXPOOL_TYPE ExDefaultNonPagedPoolType
#define NXPOOL_TYPE_CACHE_ALIGNED ((POOL_TYPE)(ExDefaultNonPagedPoolType + 4))
#define NXPOOL_MDL ExDefaultMdlProtection

/* RtlGetVersion, which older kits declare in ntddk.h alone: so that a file with only wdm.h can make the call, too. */
#if !defined(_NTDDK_INCLUDED_) && !defined(_NTIFS_INCLUDED_)
struct _OSVERSIONINFOW;
NTSYSAPI NTSTATUS NTAPI RtlGetVersion(struct _OSVERSIONINFOW *);
#endif

#endif

/* The flags of ExInitializeDriverRuntime. */
typedef enum _DRIVER_RUNTIME_INIT_FLAGS {
    DrvRtPoolNxOptIn = 1,
    LastDrvRtFlag
} DRIVER_RUNTIME_INIT_FLAGS, *PDRIVER_RUNTIME_INIT_FLAGS;

/*
 * Call it first in DriverEntry. It looks whether Windows knows no-execute pool, and then sets the two variables. In a
 * file that is not compiled with POOL_NX_OPTIN, or is opted out, it does nothing, as the kit's does; nor does it where
 * the version can not be asked, which counts as one from before Windows 8. To call it again is harmless.
 *
 * FORCEINLINE is the kit's own word for what is inlined where it is called, and stands nowhere else: the call tests
 * the macros of the file that makes it, not those of another.
 */
FORCEINLINE VOID ExInitializeDriverRuntime(ULONG RuntimeFlags)
{
#ifdef NXPOOL_RUN_TIME
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
        ExDefaultNonPagedPoolType = NXPOOL_NX;
        ExDefaultMdlProtection = NXPOOL_NO_EXECUTE;
    }
#else
    (void)RuntimeFlags;
#endif
}

#ifdef NXPOOL_TYPE

/* Macros and no constants, so that code which takes pool types apart can undefine them. */
#undef NonPagedPool
#define NonPagedPool NXPOOL_TYPE
#undef NonPagedPoolCacheAligned
#define NonPagedPoolCacheAligned NXPOOL_TYPE_CACHE_ALIGNED

/*
 * The two routines whose flags have a bit for it. They are inline functions and macros without parameters, as in
 * wdm.h, so that the name stands for the function wherever it is written, and evaluates an argument once. Within the
 * functions the names still mean what the kit says: a routine, an inline function or a macro.
 *
 * The bit for pool is that of the type; the bit for mappings goes into the priority, which is an ULONG in later kits:
 * that is what a driver may have written for.
 */
FORCEINLINE VOID ExInitializeNPagedLookasideList_NXPoolOptIn(PNPAGED_LOOKASIDE_LIST Lookaside,
                                                             PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                                             ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    ExInitializeNPagedLookasideList(Lookaside, Allocate, Free, Flags | (ULONG)NXPOOL_TYPE, Size, Tag, Depth);
}

FORCEINLINE PVOID MmMapLockedPagesSpecifyCache_NXOptIn(PMDL Mdl, KPROCESSOR_MODE AccessMode,
                                                       MEMORY_CACHING_TYPE CacheType, PVOID Address,
                                                       ULONG BugCheckOnFailure, ULONG Priority)
{
    return MmMapLockedPagesSpecifyCache(Mdl, AccessMode, CacheType, Address, BugCheckOnFailure,
                                        (MM_PAGE_PRIORITY)(Priority | NXPOOL_MDL));
}

/*
 * MmGetSystemAddressForMdlSafe: a macro in mingw-w64, ReactOS and Microsoft's older kits, it now expands to the above.
 * Where it is an inline function, that has been compiled with the kit's routine, and must be handed the bit. What
 * ndis.h makes of these names are macros, too, and follow, whether it is included before or after this file.
 */
#ifndef MmGetSystemAddressForMdlSafe
FORCEINLINE PVOID MmGetSystemAddressForMdlSafe_NXOptIn(PMDL Mdl, ULONG Priority)
{
    return MmGetSystemAddressForMdlSafe(Mdl, (MM_PAGE_PRIORITY)(Priority | NXPOOL_MDL));
}
#define MmGetSystemAddressForMdlSafe MmGetSystemAddressForMdlSafe_NXOptIn
#endif

#undef ExInitializeNPagedLookasideList
#define ExInitializeNPagedLookasideList ExInitializeNPagedLookasideList_NXPoolOptIn
#undef MmMapLockedPagesSpecifyCache
#define MmMapLockedPagesSpecifyCache MmMapLockedPagesSpecifyCache_NXOptIn

#endif /* NXPOOL_TYPE */

#ifdef __cplusplus
}
#endif

#endif /* !NXPOOL_KIT_KNOWS_NX */
#endif /* NXPOOL_H */
