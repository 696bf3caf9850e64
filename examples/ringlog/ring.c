/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c - the messages: a queue of records of bounded length, and the history of their text. */
#include "ringlog.h"

typedef struct _RECORD {
    LIST_ENTRY Link;
    ULONG Length;
    UCHAR Text[RINGLOG_MESSAGE_MAX];
} RECORD, *PRECORD;

struct _RING {
    KSPIN_LOCK Lock; /* guards all below but the lookaside list, which guards itself */
    NPAGED_LOOKASIDE_LIST Records;
    LIST_ENTRY Queue;
    ULONG Count;
    ULONG Capacity;
    PMDL HistoryMdl; /* NULL: there is no history */
    PUCHAR History;
    ULONG HistorySize;
    ULONG HistoryNext;  /* where the next byte goes */
    ULONG HistoryValid; /* bytes written so far, at most HistorySize */
};

/* Zeroed memory, or NULL. */
PVOID RingAllocate(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag)
{
    PVOID Memory = ExAllocatePoolWithTag(PoolType, Size, Tag);

    if (Memory != NULL) {
        RtlZeroMemory(Memory, Size);
    }
    return Memory;
}

/* The history is too large for the pool of a small machine: it gets pages of its own. Without them the ring works on. */
static VOID RingOpenHistory(PRING Ring)
{
    PHYSICAL_ADDRESS Low, High, Skip;

    Low.QuadPart = 0;
    High.QuadPart = -1;
    Skip.QuadPart = 0;
    Ring->HistoryMdl = MmAllocatePagesForMdl(Low, High, Skip, RINGLOG_HISTORY_BYTES);
    if (Ring->HistoryMdl == NULL) {
        return;
    }
    Ring->History = MmMapLockedPagesSpecifyCache(Ring->HistoryMdl, KernelMode, MmCached, NULL, FALSE,
                                                 NormalPagePriority);
    if (Ring->History == NULL) {
        MmFreePagesFromMdl(Ring->HistoryMdl);
        ExFreePool(Ring->HistoryMdl);
        Ring->HistoryMdl = NULL;
        return;
    }
    Ring->HistorySize = MmGetMdlByteCount(Ring->HistoryMdl); /* there may have been fewer pages than asked for */
}

PRING RingOpen(ULONG Capacity)
{
    PRING Ring = ExAllocatePoolWithTag(NonPagedPool, sizeof(RING), RINGLOG_TAG_RING);

    if (Ring == NULL) {
        return NULL;
    }
    RtlZeroMemory(Ring, sizeof(RING));
    KeInitializeSpinLock(&Ring->Lock);
    InitializeListHead(&Ring->Queue);
    Ring->Capacity = Capacity;
    ExInitializeNPagedLookasideList(&Ring->Records, NULL, NULL, 0, sizeof(RECORD), RINGLOG_TAG_RECORD, 0);
    RingOpenHistory(Ring);
    return Ring;
}

VOID RingClose(PRING Ring)
{
    while (!IsListEmpty(&Ring->Queue)) {
        PLIST_ENTRY Link = RemoveHeadList(&Ring->Queue);

        ExFreeToNPagedLookasideList(&Ring->Records, CONTAINING_RECORD(Link, RECORD, Link));
    }
    ExDeleteNPagedLookasideList(&Ring->Records);
    if (Ring->HistoryMdl != NULL) {
        MmUnmapLockedPages(Ring->History, Ring->HistoryMdl);
        MmFreePagesFromMdl(Ring->HistoryMdl);
        ExFreePool(Ring->HistoryMdl);
    }
    ExFreePoolWithTag(Ring, RINGLOG_TAG_RING);
}

/* The caller holds the lock. */
static VOID RingRemember(PRING Ring, const UCHAR *Text, ULONG Length)
{
    ULONG Part;

    if (Ring->HistorySize == 0) {
        return;
    }
    while (Length != 0) {
        Part = min(Length, Ring->HistorySize - Ring->HistoryNext);
        RtlCopyMemory(Ring->History + Ring->HistoryNext, Text, Part);
        Text += Part;
        Length -= Part;
        Ring->HistoryNext = (Ring->HistoryNext + Part) % Ring->HistorySize;
        Ring->HistoryValid = min(Ring->HistoryValid + Part, Ring->HistorySize);
    }
}

/* Copies a message of Length bytes; where the ring is full, the oldest gives way. */
NTSTATUS RingAppend(PRING Ring, PMDL Message, ULONG Length, PRINGLOG_COUNTERS Counters)
{
    PVOID Text;
    PRECORD Record, Oldest = NULL;
    KIRQL OldIrql;

    if (Length > RINGLOG_MESSAGE_MAX) {
        InterlockedIncrement(&Counters->Refused);
        return STATUS_INVALID_BUFFER_SIZE;
    }
    Text = MmGetSystemAddressForMdlSafe(Message, NormalPagePriority);
    Record = Text == NULL ? NULL : ExAllocateFromNPagedLookasideList(&Ring->Records);
    if (Record == NULL) {
        InterlockedIncrement(&Counters->Refused);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Record->Length = Length;
    RtlCopyMemory(Record->Text, Text, Length);

    KeAcquireSpinLock(&Ring->Lock, &OldIrql);
    InsertTailList(&Ring->Queue, &Record->Link);
    RingRemember(Ring, Record->Text, Length);
    if (Ring->Count == Ring->Capacity) {
        Oldest = CONTAINING_RECORD(RemoveHeadList(&Ring->Queue), RECORD, Link);
    } else {
        Ring->Count++;
    }
    KeReleaseSpinLock(&Ring->Lock, OldIrql);

    InterlockedIncrement(&Counters->Written);
    if (Oldest != NULL) {
        InterlockedIncrement(&Counters->Dropped);
        ExFreeToNPagedLookasideList(&Ring->Records, Oldest);
    }
    return STATUS_SUCCESS;
}

/* Removes the oldest message and copies it; one that does not fit stays. */
NTSTATUS RingTake(PRING Ring, PVOID Buffer, ULONG Size, PULONG Length)
{
    PRECORD Record;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Ring->Lock, &OldIrql);
    if (IsListEmpty(&Ring->Queue)) {
        KeReleaseSpinLock(&Ring->Lock, OldIrql);
        return STATUS_NO_MORE_ENTRIES;
    }
    Record = CONTAINING_RECORD(Ring->Queue.Flink, RECORD, Link);
    if (Record->Length > Size) {
        KeReleaseSpinLock(&Ring->Lock, OldIrql);
        return STATUS_BUFFER_TOO_SMALL;
    }
    RemoveEntryList(&Record->Link);
    Ring->Count--;
    KeReleaseSpinLock(&Ring->Lock, OldIrql);

    RtlCopyMemory(Buffer, Record->Text, Record->Length);
    *Length = Record->Length;
    ExFreeToNPagedLookasideList(&Ring->Records, Record);
    return STATUS_SUCCESS;
}

/* Copies the last text of all messages and returns its length. */
ULONG RingHistory(PRING Ring, PVOID Buffer, ULONG Size)
{
    ULONG Length, Start, Part;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Ring->Lock, &OldIrql);
    Length = min(Size, Ring->HistoryValid);
    if (Length != 0) {
        Start = (Ring->HistoryNext + Ring->HistorySize - Length) % Ring->HistorySize;
        Part = min(Length, Ring->HistorySize - Start);
        RtlCopyMemory(Buffer, Ring->History + Start, Part);
        RtlCopyMemory((PUCHAR)Buffer + Part, Ring->History, Length - Part);
    }
    KeReleaseSpinLock(&Ring->Lock, OldIrql);
    return Length;
}
