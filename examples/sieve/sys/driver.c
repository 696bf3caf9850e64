/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - the device \Device\Sieve: rules are added, packets are tested, and those that matched are kept. */
#include "sieve.h"

/* A packet that matched. */
typedef struct _CATCH {
    LIST_ENTRY Link;
    SIEVE_PACKET Packet;
} CATCH, *PCATCH;

typedef struct _STATE {
    FAST_MUTEX Adding; /* one rule at a time */
    PSIEVE_RULES Rules;
    KSPIN_LOCK Lock; /* guards Queue and Count */
    LIST_ENTRY Queue;
    ULONG Count;
    NPAGED_LOOKASIDE_LIST Catches;
} STATE, *PSTATE;

/* The device extension. */
typedef struct _EXTENSION {
    PSTATE State;
} EXTENSION, *PEXTENSION;

#define STATE_OF(DeviceObject) (((PEXTENSION)(DeviceObject)->DeviceExtension)->State)

/* Memory that lives as long as the device. */
#define SIEVE_KEEP(Size) SieveAllocate(NonPagedPool, (Size), SIEVE_TAG_STATE)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD SieveUnload;
static DRIVER_DISPATCH SieveOpenClose;
static DRIVER_DISPATCH SieveControl;

static NTSTATUS SieveComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS SieveOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return SieveComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS SieveAdd(PSTATE State, const CHAR *Text, ULONG Length, PULONG Number)
{
    NTSTATUS Status;

    ExAcquireFastMutex(&State->Adding);
    Status = SieveAddRule(State->Rules, Text, Length, Number);
    ExReleaseFastMutex(&State->Adding);
    return Status;
}

/* Keeps a packet; where there is no room or no memory for it, it was caught in vain. */
static VOID SieveKeep(PSTATE State, const SIEVE_PACKET *Packet)
{
    PCATCH Catch = ExAllocateFromNPagedLookasideList(&State->Catches);
    BOOLEAN Kept = FALSE;
    KIRQL OldIrql;

    if (Catch == NULL) {
        return;
    }
    Catch->Packet = *Packet;
    KeAcquireSpinLock(&State->Lock, &OldIrql);
    if (State->Count < SIEVE_CATCH_MAX) {
        InsertTailList(&State->Queue, &Catch->Link);
        State->Count++;
        Kept = TRUE;
    }
    KeReleaseSpinLock(&State->Lock, OldIrql);
    if (!Kept) {
        ExFreeToNPagedLookasideList(&State->Catches, Catch);
    }
}

static PCATCH SieveTakeOldest(PSTATE State)
{
    PCATCH Catch = NULL;
    KIRQL OldIrql;

    KeAcquireSpinLock(&State->Lock, &OldIrql);
    if (!IsListEmpty(&State->Queue)) {
        Catch = CONTAINING_RECORD(RemoveHeadList(&State->Queue), CATCH, Link);
        State->Count--;
    }
    KeReleaseSpinLock(&State->Lock, OldIrql);
    return Catch;
}

static NTSTATUS SieveTake(PSTATE State, PSIEVE_PACKET Packet)
{
    PCATCH Catch = SieveTakeOldest(State);

    if (Catch == NULL) {
        return STATUS_NO_MORE_ENTRIES;
    }
    *Packet = Catch->Packet;
    ExFreeToNPagedLookasideList(&State->Catches, Catch);
    return STATUS_SUCCESS;
}

static NTSTATUS SieveControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG In = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG Out = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    PSTATE State = STATE_OF(DeviceObject);
    ULONG Length = Code == IOCTL_SIEVE_TAKE ? sizeof(SIEVE_PACKET) : sizeof(ULONG);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Number = 0;

    if (Out < Length) {
        return SieveComplete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    switch (Code) {
    case IOCTL_SIEVE_ADD:
        Status = SieveAdd(State, Buffer, In, &Number);
        break;
    case IOCTL_SIEVE_TEST:
        if (In < sizeof(SIEVE_PACKET)) {
            Status = STATUS_INVALID_PARAMETER;
            break;
        }
        Number = SieveFirstMatch(State->Rules, Buffer);
        if (Number != 0) {
            SieveKeep(State, Buffer);
        }
        break;
    case IOCTL_SIEVE_TAKE:
        Status = SieveTake(State, Buffer);
        break;
    default:
        Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!NT_SUCCESS(Status)) {
        return SieveComplete(Irp, Status, 0);
    }
    if (Code != IOCTL_SIEVE_TAKE) {
        *(PULONG)Buffer = Number; /* over the input */
    }
    return SieveComplete(Irp, STATUS_SUCCESS, Length);
}

/* Undoes as much as has been done. */
static VOID SieveDelete(PDEVICE_OBJECT DeviceObject)
{
    PSTATE State = STATE_OF(DeviceObject);
    PCATCH Catch;

    if (State != NULL) {
        for (Catch = SieveTakeOldest(State); Catch != NULL; Catch = SieveTakeOldest(State)) {
            ExFreeToNPagedLookasideList(&State->Catches, Catch);
        }
        ExDeleteNPagedLookasideList(&State->Catches);
        if (State->Rules != NULL) {
            SieveCloseRules(State->Rules);
        }
        SieveFree(State);
    }
    IoDeleteDevice(DeviceObject);
}

static VOID SieveUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(SIEVE_LINK_NAME);

    IoDeleteSymbolicLink(&LinkName);
    SieveDelete(DriverObject->DeviceObject);
}

/* The first rule is the driver's own, for packets that cannot be. It tells whether instructions that are written here run. */
static NTSTATUS SieveTest(PSTATE State)
{
    static const CHAR Text[] = "proto > 255 | size < 20 & (sport = dport | 0 = 1)";
    static const SIEVE_PACKET Good = {1500, 6, 80, 80};
    static const SIEVE_PACKET Bad = {8, 17, 53, 53};
    ULONG Number;
    NTSTATUS Status = SieveAdd(State, Text, sizeof(Text) - 1, &Number);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (SieveFirstMatch(State->Rules, &Good) != 0 || SieveFirstMatch(State->Rules, &Bad) != Number) {
        return STATUS_UNSUCCESSFUL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS SieveStart(PDEVICE_OBJECT DeviceObject)
{
    PSTATE State = SIEVE_KEEP(sizeof(STATE));

    STATE_OF(DeviceObject) = State;
    if (State == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ExInitializeFastMutex(&State->Adding);
    KeInitializeSpinLock(&State->Lock);
    InitializeListHead(&State->Queue);
    ExInitializeNPagedLookasideList(&State->Catches, NULL, NULL, 0, sizeof(CATCH), SIEVE_TAG_CATCH, 0);
    State->Rules = SieveOpenRules();
    if (State->Rules == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return SieveTest(State);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(SIEVE_DEVICE_NAME);
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(SIEVE_LINK_NAME);
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = SieveOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = SieveOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = SieveControl;
    DriverObject->DriverUnload = SieveUnload;
    Status = IoCreateDevice(DriverObject, sizeof(EXTENSION), &DeviceName, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                            FALSE, &DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = SieveStart(DeviceObject);
    if (NT_SUCCESS(Status)) {
        Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    }
    if (!NT_SUCCESS(Status)) {
        SieveDelete(DeviceObject);
    }
    return Status;
}
