/* The kernel's side: it prints the deciding argument of each request on one line. Usage: record MAJOR MINOR */
#include "kit.h"
#include <stdio.h>
#include <stdlib.h>

NTSTATUS RtlGetVersion(struct _OSVERSIONINFOW *);
void DriverEntry(void);
void Other(void);

static ULONG major, minor;

NTSTATUS RtlGetVersion(struct _OSVERSIONINFOW *v)
{
    if (v->Size != sizeof(*v) || major == 0) {
        return -1;
    }
    v->Major = major;
    v->Minor = minor;
    return 0;
}

static PVOID record(ULONG value)
{
    printf(" %x", value);
    return 0;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    (void)size, (void)tag;
    return record(type);
}

#ifdef KIT_OTHER
void ExLookaside(ULONG flags, PNPAGED_LOOKASIDE_LIST l, PALLOCATE_FUNCTION a, PFREE_FUNCTION f, SIZE_T s, ULONG t, USHORT d)
{
    (void)l, (void)a, (void)f, (void)s, (void)t, (void)d;
    record(flags);
}

PVOID MmMapPages(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, ULONG priority)
{
    (void)mdl, (void)mode, (void)cache;
    return record(priority);
}
#else
void ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST l, PALLOCATE_FUNCTION a, PFREE_FUNCTION f, ULONG flags, SIZE_T s, ULONG t, USHORT d)
{
    (void)l, (void)a, (void)f, (void)s, (void)t, (void)d;
    record(flags);
}

PVOID MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, PVOID address, ULONG check, MM_PAGE_PRIORITY priority)
{
    (void)mdl, (void)mode, (void)cache, (void)address, (void)check;
    return record(priority);
}
#endif

int main(int argc, char **argv)
{
    major = argc > 1 ? atoi(argv[1]) : 0;
    minor = argc > 2 ? atoi(argv[2]) : 0;
    DriverEntry();
    printf(" |");
    Other();
    printf("\n");
    return 0;
}
