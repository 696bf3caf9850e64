/* What wdm.h does once in each source, given the macros as they stand here. For ARM64 all files opt in by themselves. */
#ifdef KIT_ARM64
#undef POOL_NX_OPTIN
#undef POOL_NX_OPTIN_AUTO
#define POOL_NX_OPTIN_AUTO 1
#endif

#define KIT_POOL_BIT 0
#define KIT_MDL_BIT 0
#define ExInitializeDriverRuntime KitNoOptIn
#if !POOL_NX_OPTOUT
#if POOL_NX_OPTIN_AUTO
#undef KIT_POOL_BIT
#undef KIT_MDL_BIT
#define NonPagedPool NonPagedPoolNx
#define NonPagedPoolCacheAligned NonPagedPoolNxCacheAligned
#define KIT_POOL_BIT POOL_NX_ALLOCATION
#define KIT_MDL_BIT MdlMappingNoExecute
#elif POOL_NX_OPTIN
#undef KIT_POOL_BIT
#undef KIT_MDL_BIT
#undef ExInitializeDriverRuntime
#define NonPagedPool ExDefaultNonPagedPoolType
#define NonPagedPoolCacheAligned ((POOL_TYPE)(ExDefaultNonPagedPoolType + 4))
#define KIT_POOL_BIT ExDefaultNonPagedPoolType
#define KIT_MDL_BIT ExDefaultMdlProtection
#define ExInitializeDriverRuntime KitOptIn
#endif
#endif
