// SPDX-License-Identifier: Apache-2.0
// recorder.cpp - all gauges with their samples, and the thread that takes these.
#include "recorder.h"

Recorder::Recorder(ULONG IntervalMilliseconds)
    : Requests(NULL), Thread(NULL), Interval((LONGLONG)IntervalMilliseconds * 10000)
{
    RtlZeroMemory(All, sizeof(All));
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Stop, NotificationEvent, FALSE);
}

Recorder::~Recorder()
{
    ULONG i;

    if (Thread != NULL) {
        KeSetEvent(&Stop, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Thread);
    }
    for (i = 0; i < GAUGE_COUNT; i++) {
        delete All[i];
    }
}

// Takes the gauge, in every case.
NTSTATUS Recorder::Add(ULONG Number, Gauge *Source)
{
    if (Source == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    All[Number] = new (GAUGE_CAPACITY) Series(Source, GAUGE_CAPACITY);
    if (All[Number] == NULL) {
        delete Source;
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

NTSTATUS Recorder::Start()
{
    CounterGauge *Counter;
    HANDLE Handle;
    NTSTATUS Status;

    Status = Add(GAUGE_CLOCK, new ClockGauge);
    if (NT_SUCCESS(Status)) {
        Status = Add(GAUGE_UPTIME, new UptimeGauge);
    }
    if (NT_SUCCESS(Status)) {
        Counter = new CounterGauge;
        Status = Add(GAUGE_REQUESTS, Counter);
        if (NT_SUCCESS(Status)) {
            Requests = Counter;
        }
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    SampleAll(); // so that there is one of each from the beginning
    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Run, this);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    // With a handle of ours, and all access, this cannot fail.
    Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    return Status;
}

VOID NTAPI Recorder::Run(PVOID Context)
{
    Recorder *Self = static_cast<Recorder *>(Context);
    LARGE_INTEGER Timeout;

    Timeout.QuadPart = -Self->Interval;
    while (KeWaitForSingleObject(&Self->Stop, Executive, KernelMode, FALSE, &Timeout) == STATUS_TIMEOUT) {
        Self->SampleAll();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID Recorder::SampleAll()
{
    LARGE_INTEGER Now;
    KIRQL OldIrql;
    ULONG i;

    KeQuerySystemTime(&Now);
    KeAcquireSpinLock(&Lock, &OldIrql);
    for (i = 0; i < GAUGE_COUNT; i++) {
        All[i]->Sample(Now.QuadPart);
    }
    KeReleaseSpinLock(&Lock, OldIrql);
}

// Under the lock the samples go to a copy, for which the caller's process pays: the output may be as slow as a frame buffer.
NTSTATUS Recorder::Read(ULONG Number, PMDL Output, ULONG Size, PLONGLONG Since, PULONG_PTR Length)
{
    ULONG Room = Size / sizeof(GAUGE_SAMPLE);
    PGAUGE_SAMPLE Copy;
    PVOID Buffer;
    KIRQL OldIrql;

    if (Room > GAUGE_CAPACITY) {
        Room = GAUGE_CAPACITY;
    }
    if (Output == NULL || Room == 0) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    Copy = static_cast<PGAUGE_SAMPLE>(ExAllocatePoolWithQuotaTag(
        (POOL_TYPE)(NonPagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE), Room * sizeof(GAUGE_SAMPLE), GAUGE_TAG_COPY));
    if (Copy == NULL) {
        return STATUS_QUOTA_EXCEEDED;
    }
    Buffer = MmGetSystemAddressForMdlSafe(Output, HighPagePriority);
    if (Buffer == NULL) {
        ExFreePoolWithTag(Copy, GAUGE_TAG_COPY);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Lock, &OldIrql);
    Room = All[Number]->Copy(Copy, Room, *Since);
    KeReleaseSpinLock(&Lock, OldIrql);

    if (Room != 0) {
        *Since = Copy[Room - 1].When;
    }
    *Length = Room * sizeof(GAUGE_SAMPLE);
    RtlCopyMemory(Buffer, Copy, *Length);
    ExFreePoolWithTag(Copy, GAUGE_TAG_COPY);
    Requests->Add();
    return STATUS_SUCCESS;
}
