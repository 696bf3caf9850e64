/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile.c - x64 instructions for a program. The upper end of its stack is eax, the rest lies in the 32 bytes that a
 * caller leaves for the first four arguments: so the code never moves rsp, calls nothing, and needs no unwind data.
 */
#include "sieve.h"

#ifndef _AMD64_
#error compile.c writes x64 instructions
#endif

typedef ULONG NTAPI SIEVE_ROUTINE(const SIEVE_PACKET *Packet); /* rcx */

#define STEP_MAX 14 /* bytes of one step */

C_ASSERT(SIEVE_DEPTH_MAX <= 1 + 32 / sizeof(ULONG));
C_ASSERT(sizeof(SIEVE_PACKET) < 0x80); /* a field's offset is a signed byte */

/* cmp eax, edx; setCC al; movzx eax, al */
static const UCHAR EqualCode[] = {0x39, 0xD0, 0x0F, 0x94, 0xC0, 0x0F, 0xB6, 0xC0};
static const UCHAR LessCode[] = {0x39, 0xD0, 0x0F, 0x92, 0xC0, 0x0F, 0xB6, 0xC0};
static const UCHAR GreaterCode[] = {0x39, 0xD0, 0x0F, 0x97, 0xC0, 0x0F, 0xB6, 0xC0};
static const UCHAR AndCode[] = {0x21, 0xD0}; /* and eax, edx */
static const UCHAR OrCode[] = {0x09, 0xD0};  /* or eax, edx */

static PUCHAR Put(PUCHAR To, const UCHAR *Code, SIZE_T Length)
{
    RtlCopyMemory(To, Code, Length);
    return To + Length;
}

/* [rsp + 8] is the first of the 32 bytes. */
static UCHAR Slot(ULONG Depth)
{
    return (UCHAR)(8 + Depth * sizeof(ULONG));
}

static PUCHAR Push(PUCHAR To, const SIEVE_STEP *Step, ULONG Depth)
{
    if (Depth != 0) { /* mov [rsp + slot], eax */
        *To++ = 0x89;
        *To++ = 0x44;
        *To++ = 0x24;
        *To++ = Slot(Depth - 1);
    }
    if (Step->Operation == SieveField) { /* mov eax, [rcx + offset] */
        *To++ = 0x8B;
        *To++ = 0x41;
        *To++ = (UCHAR)Step->Operand;
        return To;
    }
    *To++ = 0xB8; /* mov eax, number */
    return Put(To, (const UCHAR *)&Step->Operand, sizeof(ULONG));
}

static PUCHAR Combine(PUCHAR To, SIEVE_OPERATION Operation, ULONG Depth)
{
    *To++ = 0x89; /* mov edx, eax */
    *To++ = 0xC2;
    *To++ = 0x8B; /* mov eax, [rsp + slot] */
    *To++ = 0x44;
    *To++ = 0x24;
    *To++ = Slot(Depth - 2);
    switch (Operation) {
    case SieveEqual:
        return Put(To, EqualCode, sizeof(EqualCode));
    case SieveLess:
        return Put(To, LessCode, sizeof(LessCode));
    case SieveGreater:
        return Put(To, GreaterCode, sizeof(GreaterCode));
    case SieveAnd:
        return Put(To, AndCode, sizeof(AndCode));
    default:
        return Put(To, OrCode, sizeof(OrCode));
    }
}

PSIEVE_CODE SieveCompile(const SIEVE_PROGRAM *Program)
{
    PUCHAR Code = ExAllocatePoolWithTag(NonPagedPool, Program->Count * STEP_MAX + 1, SIEVE_TAG_CODE);
    PUCHAR To = Code;
    ULONG Depth = 0;
    ULONG i;

    if (Code == NULL) {
        return NULL;
    }
    for (i = 0; i < Program->Count; i++) {
        const SIEVE_STEP *Step = &Program->Steps[i];

        if (Step->Operation <= SieveField) {
            To = Push(To, Step, Depth);
            Depth++;
        } else {
            To = Combine(To, Step->Operation, Depth);
            Depth--;
        }
    }
    *To = 0xC3; /* ret */
    return (PSIEVE_CODE)Code;
}

BOOLEAN SieveMatches(PSIEVE_CODE Code, const SIEVE_PACKET *Packet)
{
    SIEVE_ROUTINE *Routine = (SIEVE_ROUTINE *)(ULONG_PTR)Code;

    return Routine(Packet) != 0;
}

VOID SieveDiscard(PSIEVE_CODE Code)
{
    if (Code != NULL) {
        ExFreePoolWithTag(Code, SIEVE_TAG_CODE);
    }
}
