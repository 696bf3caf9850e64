/* One file of an image: it leaves the addresses of its two variables in a section that the test reads. */
#include "kit.h"
#include "nxpool.h"

#ifdef __cplusplus
extern "C" {
#endif
void ROUTINE(void);
#ifdef CALLS
void Next(void);
#endif
void *NAME[2] __attribute__((section(".nxpair"), used)) = {(void *)&ExDefaultNonPagedPoolType, (void *)&ExDefaultMdlProtection};
#ifdef __cplusplus
}
#endif

void ROUTINE(void)
{
#ifdef CALLS
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    Next();
#endif
}
