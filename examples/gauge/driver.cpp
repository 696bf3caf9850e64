// SPDX-License-Identifier: Apache-2.0
// driver.cpp - the device \Device\Gauge: a client that has it open reads the samples it has not got yet.
#include "recorder.h"

// What one client has got of each gauge: the time of the last sample.
typedef struct _CLIENT {
    LONGLONG Since[GAUGE_COUNT];
} CLIENT, *PCLIENT;

// ClientList keeps the memory of clients. There may be many, and each is small.
class ClientList {
public:
    ClientList() { ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, sizeof(CLIENT), GAUGE_TAG_CLIENT, 0); }
    ~ClientList() { ExDeleteNPagedLookasideList(&List); }
    PCLIENT Open();
    VOID Close(PCLIENT Client) { ExFreeToNPagedLookasideList(&List, Client); }

private:
    NPAGED_LOOKASIDE_LIST List;
};

// The device extension, zeroed by IoCreateDevice.
typedef struct _EXTENSION {
    Recorder *Samples;
    ClientList *Clients;
} EXTENSION, *PEXTENSION;

extern "C" DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD GaugeUnload;
static DRIVER_DISPATCH GaugeCreate;
static DRIVER_DISPATCH GaugeClose;
static DRIVER_DISPATCH GaugeControl;

PCLIENT ClientList::Open()
{
    PCLIENT Client = static_cast<PCLIENT>(ExAllocateFromNPagedLookasideList(&List));

    if (Client != NULL) {
        RtlZeroMemory(Client, sizeof(CLIENT));
    }
    return Client;
}

static NTSTATUS GaugeComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI GaugeCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PEXTENSION Extension = static_cast<PEXTENSION>(DeviceObject->DeviceExtension);
    PCLIENT Client = Extension->Clients->Open();

    IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext = Client;
    return GaugeComplete(Irp, Client == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI GaugeClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PEXTENSION Extension = static_cast<PEXTENSION>(DeviceObject->DeviceExtension);

    Extension->Clients->Close(static_cast<PCLIENT>(IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext));
    return GaugeComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI GaugeControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PEXTENSION Extension = static_cast<PEXTENSION>(DeviceObject->DeviceExtension);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    CLIENT Nobody = {{0}};
    PCLIENT Client = &Nobody; // a driver may ask without opening the device
    ULONG_PTR Length = 0;
    ULONG Number;
    NTSTATUS Status;

    if (Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_GAUGE_READ) {
        return GaugeComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(Number)) {
        return GaugeComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    if (Stack->FileObject != NULL) {
        Client = static_cast<PCLIENT>(Stack->FileObject->FsContext);
    }
    RtlCopyMemory(&Number, Irp->AssociatedIrp.SystemBuffer, sizeof(Number));
    if (Number >= GAUGE_COUNT) {
        return GaugeComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Status = Extension->Samples->Read(Number, Irp->MdlAddress, Stack->Parameters.DeviceIoControl.OutputBufferLength,
                                      &Client->Since[Number], &Length);
    return GaugeComplete(Irp, Status, Length);
}

static VOID GaugeDelete(PDEVICE_OBJECT DeviceObject)
{
    PEXTENSION Extension = static_cast<PEXTENSION>(DeviceObject->DeviceExtension);

    delete Extension->Samples;
    delete Extension->Clients;
    IoDeleteDevice(DeviceObject);
}

static VOID NTAPI GaugeUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING LinkName;

    RtlInitUnicodeString(&LinkName, GAUGE_LINK_NAME);
    IoDeleteSymbolicLink(&LinkName);
    GaugeDelete(DriverObject->DeviceObject);
}

// The value Interval of the driver's own key, in milliseconds, or the default.
static ULONG GaugeInterval(PUNICODE_STRING RegistryPath)
{
    const ULONG Length = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG);
    ULONG Interval = GAUGE_INTERVAL_DEFAULT;
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Needed;
    UCHAR *Data;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        return Interval;
    }
    Data = new (PagedPool, GAUGE_TAG_SETTING) UCHAR[Length];
    if (Data != NULL) {
        RtlInitUnicodeString(&Name, L"Interval");
        Value = reinterpret_cast<PKEY_VALUE_PARTIAL_INFORMATION>(Data);
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, Length, &Needed)) &&
            Value->Type == REG_DWORD && Value->DataLength == sizeof(ULONG)) {
            RtlCopyMemory(&Interval, Value->Data, sizeof(ULONG));
        }
        delete[] Data;
    }
    ZwClose(Key);
    if (Interval < GAUGE_INTERVAL_MIN) {
        return GAUGE_INTERVAL_MIN;
    }
    return Interval > GAUGE_INTERVAL_MAX ? GAUGE_INTERVAL_MAX : Interval;
}

static NTSTATUS NTAPI GaugeTested(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Done)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(static_cast<PKEVENT>(Done), IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED; // the IRP is freed by who made it
}

// Asks the device for the time, as another driver would, with memory that is not paged. If it gives none, it is of no use.
static NTSTATUS GaugeAsk(PDEVICE_OBJECT DeviceObject, PMDL Output, PGAUGE_SAMPLE Sample)
{
    PIRP Irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    ULONG Number = GAUGE_CLOCK;
    PIO_STACK_LOCATION Stack;
    NTSTATUS Status;
    KEVENT Done;

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Irp->AssociatedIrp.SystemBuffer = &Number;
    Irp->MdlAddress = Output;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_GAUGE_READ;
    Stack->Parameters.DeviceIoControl.InputBufferLength = sizeof(Number);
    Stack->Parameters.DeviceIoControl.OutputBufferLength = sizeof(GAUGE_SAMPLE);
    IoSetCompletionRoutine(Irp, GaugeTested, &Done, TRUE, TRUE, TRUE);
    if (IoCallDriver(DeviceObject, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
    Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status) && (Irp->IoStatus.Information != sizeof(GAUGE_SAMPLE) || Sample->Value == 0)) {
        Status = STATUS_UNSUCCESSFUL;
    }
    IoFreeIrp(Irp);
    return Status;
}

static NTSTATUS GaugeTest(PDEVICE_OBJECT DeviceObject)
{
    PGAUGE_SAMPLE Sample = new (NonPagedPool, GAUGE_TAG_TEST) GAUGE_SAMPLE;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    PMDL Output;

    if (Sample == NULL) {
        return Status;
    }
    Output = IoAllocateMdl(Sample, sizeof(GAUGE_SAMPLE), FALSE, FALSE, NULL);
    if (Output != NULL) {
        MmBuildMdlForNonPagedPool(Output);
        Status = GaugeAsk(DeviceObject, Output, Sample);
        IoFreeMdl(Output);
    }
    delete Sample;
    return Status;
}

static NTSTATUS GaugeStart(PDEVICE_OBJECT DeviceObject, PUNICODE_STRING RegistryPath)
{
    PEXTENSION Extension = static_cast<PEXTENSION>(DeviceObject->DeviceExtension);
    NTSTATUS Status;

    Extension->Clients = new (NonPagedPool, GAUGE_TAG_CLIENTS) ClientList;
    Extension->Samples = new (NonPagedPool, GAUGE_TAG_RECORDER) Recorder(GaugeInterval(RegistryPath));
    if (Extension->Clients == NULL || Extension->Samples == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = Extension->Samples->Start();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = GaugeTest(DeviceObject);
    if (Status == STATUS_INSUFFICIENT_RESOURCES) { // what is short now may not be when a client asks
        DbgPrint("Gauge: too little memory to test itself\n");
        Status = STATUS_SUCCESS;
    }
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING DeviceName, LinkName;
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status;

    RtlInitUnicodeString(&DeviceName, GAUGE_DEVICE_NAME);
    RtlInitUnicodeString(&LinkName, GAUGE_LINK_NAME);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = GaugeCreate;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = GaugeClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = GaugeControl;
    DriverObject->DriverUnload = GaugeUnload;
    Status = IoCreateDevice(DriverObject, sizeof(EXTENSION), &DeviceName, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                            FALSE, &DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = GaugeStart(DeviceObject, RegistryPath);
    if (NT_SUCCESS(Status)) {
        Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    }
    if (!NT_SUCCESS(Status)) {
        GaugeDelete(DeviceObject);
    }
    return Status;
}
