/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - the device \Device\RingLog: what is written to it goes to the ring, and controls read it back. */
#include "ringlog.h"

typedef struct _EXTENSION {
    PRING Ring;
    PRINGLOG_COUNTERS Counters;
} EXTENSION, *PEXTENSION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD RingLogUnload;
static DRIVER_DISPATCH RingLogOpenClose;
static DRIVER_DISPATCH RingLogWrite;
static DRIVER_DISPATCH RingLogControl;

static NTSTATUS RingLogComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS RingLogOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return RingLogComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS RingLogWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PEXTENSION Extension = DeviceObject->DeviceExtension;
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    NTSTATUS Status;

    if (Irp->MdlAddress == NULL) { /* an empty write has no MDL */
        return RingLogComplete(Irp, STATUS_SUCCESS, 0);
    }
    Status = RingAppend(Extension->Ring, Irp->MdlAddress, Length, Extension->Counters);
    return RingLogComplete(Irp, Status, NT_SUCCESS(Status) ? Length : 0);
}

/* The two controls with direct output. */
static NTSTATUS RingLogRead(PEXTENSION Extension, ULONG Code, PMDL Output, ULONG Size, PULONG Length)
{
    PVOID Buffer;

    if (Output == NULL) { /* no output buffer was given */
        return STATUS_BUFFER_TOO_SMALL;
    }
    Buffer = MmGetSystemAddressForMdlSafe(Output, NormalPagePriority);
    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Code == IOCTL_RINGLOG_TAKE) {
        return RingTake(Extension->Ring, Buffer, Size, Length);
    }
    *Length = RingHistory(Extension->Ring, Buffer, Size);
    return STATUS_SUCCESS;
}

static NTSTATUS RingLogControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PEXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG Size = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    ULONG Length = 0;
    NTSTATUS Status;

    switch (Code) {
    case IOCTL_RINGLOG_TAKE:
    case IOCTL_RINGLOG_HISTORY:
        Status = RingLogRead(Extension, Code, Irp->MdlAddress, Size, &Length);
        break;
    case IOCTL_RINGLOG_COUNTERS:
        if (Size < sizeof(RINGLOG_COUNTERS)) {
            Status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Extension->Counters, sizeof(RINGLOG_COUNTERS));
        Length = sizeof(RINGLOG_COUNTERS);
        Status = STATUS_SUCCESS;
        break;
    default:
        Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    return RingLogComplete(Irp, Status, Length);
}

/* Undoes as much as has been done. */
static VOID RingLogDelete(PDEVICE_OBJECT DeviceObject)
{
    PEXTENSION Extension = DeviceObject->DeviceExtension;

    if (Extension->Ring != NULL) {
        RingClose(Extension->Ring);
    }
    if (Extension->Counters != NULL) {
        ExFreePoolWithTag(Extension->Counters, RINGLOG_TAG_COUNTERS);
    }
    IoDeleteDevice(DeviceObject);
}

static VOID RingLogUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(RINGLOG_LINK_NAME);

    IoDeleteSymbolicLink(&LinkName);
    RingLogDelete(DriverObject->DeviceObject);
}

/* The value Capacity of the driver's own key, or the default. */
static ULONG RingLogCapacity(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Capacity");
    ULONG Capacity = RINGLOG_CAPACITY_DEFAULT;
    ULONG Size = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG);
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        return Capacity;
    }
    Value = ExAllocatePoolWithTag(PagedPool, Size, RINGLOG_TAG_CONFIG);
    if (Value != NULL) {
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, Size, &Size)) &&
            Value->Type == REG_DWORD && Value->DataLength == sizeof(ULONG)) {
            RtlCopyMemory(&Capacity, Value->Data, sizeof(ULONG));
        }
        ExFreePoolWithTag(Value, RINGLOG_TAG_CONFIG);
    }
    ZwClose(Key);
    return Capacity == 0 ? 1 : min(Capacity, RINGLOG_CAPACITY_MAX);
}

/* The driver's own first message takes the way that all take. It may get lost: then nobody misses it. */
static VOID RingLogGreet(PEXTENSION Extension)
{
    static const CHAR Greeting[] = "RingLog has started\n";
    const ULONG Length = sizeof(Greeting) - 1;
    PVOID Text = RINGLOG_NEW(Length, RINGLOG_TAG_GREETING);
    PMDL Mdl;

    if (Text == NULL) {
        return;
    }
    RtlCopyMemory(Text, Greeting, Length);
    Mdl = IoAllocateMdl(Text, Length, FALSE, FALSE, NULL);
    if (Mdl != NULL) {
        MmBuildMdlForNonPagedPool(Mdl);
        RingAppend(Extension->Ring, Mdl, Length, Extension->Counters);
        IoFreeMdl(Mdl);
    }
    ExFreePoolWithTag(Text, RINGLOG_TAG_GREETING);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(RINGLOG_DEVICE_NAME);
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(RINGLOG_LINK_NAME);
    PDEVICE_OBJECT DeviceObject;
    PEXTENSION Extension;
    NTSTATUS Status;

    Status = IoCreateDevice(DriverObject, sizeof(EXTENSION), &DeviceName, FILE_DEVICE_UNKNOWN,
                            FILE_DEVICE_SECURE_OPEN, FALSE, &DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    DeviceObject->Flags |= DO_DIRECT_IO;
    Extension = DeviceObject->DeviceExtension; /* zeroed by IoCreateDevice */
    Extension->Counters = RingAllocate(NonPagedPool, sizeof(RINGLOG_COUNTERS), RINGLOG_TAG_COUNTERS);
    Extension->Ring = RingOpen(RingLogCapacity(RegistryPath));
    Status = STATUS_INSUFFICIENT_RESOURCES;
    if (Extension->Counters != NULL && Extension->Ring != NULL) {
        Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    }
    if (!NT_SUCCESS(Status)) {
        RingLogDelete(DeviceObject);
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = RingLogOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = RingLogOpenClose;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = RingLogWrite;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = RingLogControl;
    DriverObject->DriverUnload = RingLogUnload;
    RingLogGreet(Extension);
    return STATUS_SUCCESS;
}
