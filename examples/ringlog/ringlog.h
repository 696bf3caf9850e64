/* SPDX-License-Identifier: Apache-2.0 */
/* ringlog.h - what the source files of RingLog share, and what its clients send it. */
#ifndef RINGLOG_H
#define RINGLOG_H

#include <ntddk.h>

#define RINGLOG_DEVICE_NAME L"\\Device\\RingLog"
#define RINGLOG_LINK_NAME   L"\\DosDevices\\RingLog"

#define RINGLOG_MESSAGE_MAX      256   /* bytes of one message */
#ifndef RINGLOG_CAPACITY_DEFAULT
#define RINGLOG_CAPACITY_DEFAULT 128   /* messages kept, if the registry does not say */
#endif
#define RINGLOG_CAPACITY_MAX     4096
#define RINGLOG_HISTORY_BYTES    65536 /* of the text of all messages, taken or not */

/* Output: the oldest message, which is removed. */
#define IOCTL_RINGLOG_TAKE     CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_OUT_DIRECT, FILE_READ_ACCESS)
/* Output: the last text of all messages, as much as fits. */
#define IOCTL_RINGLOG_HISTORY  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_READ_ACCESS)
/* Output: a RINGLOG_COUNTERS. */
#define IOCTL_RINGLOG_COUNTERS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_READ_ACCESS)

typedef struct _RINGLOG_COUNTERS {
    LONG Written; /* messages taken in */
    LONG Dropped; /* of these, pushed out before anyone took them */
    LONG Refused; /* messages too long, or without memory for them */
} RINGLOG_COUNTERS, *PRINGLOG_COUNTERS;

/* The tags are written backwards, as the pool shows them. */
#define RINGLOG_TAG_RING     'gRgR' /* "RgRg" */
#define RINGLOG_TAG_RECORD   'cRgR' /* "RgRc" */
#define RINGLOG_TAG_GREETING 'rGgR' /* "RgGr" */
#define RINGLOG_TAG_COUNTERS 'tCgR' /* "RgCt" */
#define RINGLOG_TAG_CONFIG   'fCgR' /* "RgCf" */

/* Memory that may be touched at any IRQL. */
#define RINGLOG_NEW(Size, Tag) ExAllocatePoolWithTag(NonPagedPool, (Size), (Tag))

typedef struct _RING RING, *PRING;

/* ring.c. RingOpen and RingClose run at PASSIVE_LEVEL, the others at DISPATCH_LEVEL or below. */
PRING RingOpen(ULONG Capacity);
VOID RingClose(PRING Ring);
NTSTATUS RingAppend(PRING Ring, PMDL Message, ULONG Length, PRINGLOG_COUNTERS Counters);
NTSTATUS RingTake(PRING Ring, PVOID Buffer, ULONG Size, PULONG Length);
ULONG RingHistory(PRING Ring, PVOID Buffer, ULONG Size);
PVOID RingAllocate(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag);

#endif
