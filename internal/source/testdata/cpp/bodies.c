// What the use of a macro looks like in a driver: allocation wrappers, statements, types.
#define TAG 'gaT1'
#define ALLOC(size) ExAllocatePoolWithTag(NonPagedPool, (size), TAG)
#define ALLOC_T(type) ((type *)ALLOC(sizeof(type)))
#define TRACE(level, args) do { if (Level >= level) DbgPrint args; } while (0)
#define FIELD(type, field) ((ULONG)(&((type *)0)->field))
#define CALL(function, args) function args
void f(void)
{
    PVOID p = ALLOC(10 + sizeof(ULONG));
    PDEVICE d = ALLOC_T(DEVICE);
    TRACE(3, ("%p %d\n", p, FIELD(DEVICE, Queue)));
    CALL(ALLOC, (12));
    p = CALL(CALL, (ALLOC, (13)));
}
