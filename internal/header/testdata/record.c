/* The kernel's side: it prints the deciding argument of each request on one line. Usage: record MAJOR MINOR */
#include "kit.h"
#include <stdio.h>
#include <stdlib.h>

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

PVOID ExAllocatePoolWithTag(POOL_TYPE type, unsigned long size, ULONG tag)
{
    (void)size, (void)tag;
    return record(type);
}

void ExInitializeNPagedLookasideList(PVOID l, PVOID a, PVOID f, ULONG flags, unsigned long s, ULONG t, unsigned short d)
{
    (void)l, (void)a, (void)f, (void)s, (void)t, (void)d;
    record(flags);
}

PVOID MmMapLockedPagesSpecifyCache(PVOID mdl, int mode, int cache, PVOID address, ULONG check, MM_PAGE_PRIORITY priority)
{
    (void)mdl, (void)mode, (void)cache, (void)address, (void)check;
    return record(priority);
}

void DriverEntry(void);
void Other(void);

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
