/* SPDX-License-Identifier: Apache-2.0 */
/* sievelib.h - the library of Sieve: memory, and the language of its rules. All runs at PASSIVE_LEVEL. */
#ifndef SIEVELIB_H
#define SIEVELIB_H

#include <ntddk.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a rule says something about. */
typedef struct _SIEVE_PACKET {
    ULONG Size;
    ULONG Protocol;
    ULONG SourcePort;
    ULONG TargetPort;
} SIEVE_PACKET, *PSIEVE_PACKET;

/*
 * A rule is text such as "proto = 17 & (sport = 53 | dport = 53) & size > 512", and becomes a program for a machine with
 * a stack: numbers and fields are pushed, all else takes two values off and pushes one. What matches leaves no 0.
 */
typedef enum _SIEVE_OPERATION {
    SieveNumber,
    SieveField,
    SieveEqual,
    SieveLess,
    SieveGreater,
    SieveAnd,
    SieveOr
} SIEVE_OPERATION;

typedef struct _SIEVE_STEP {
    SIEVE_OPERATION Operation;
    ULONG Operand; /* a number, or the offset of a field in SIEVE_PACKET */
} SIEVE_STEP, *PSIEVE_STEP;

typedef struct _SIEVE_PROGRAM {
    ULONG Count;
    SIEVE_STEP Steps[1];
} SIEVE_PROGRAM, *PSIEVE_PROGRAM;

#define SIEVE_TEXT_MAX  256 /* bytes of one rule */
#define SIEVE_DEPTH_MAX 8   /* values on the stack */

/* The program is freed with SieveFree. A text that is no rule gives STATUS_INVALID_PARAMETER. */
NTSTATUS SieveParse(const CHAR *Text, ULONG Length, PSIEVE_PROGRAM *Program);

/* Zeroed memory, or NULL. */
PVOID SieveAllocate(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag);
VOID SieveFree(PVOID Memory); /* or NULL */

#ifdef __cplusplus
}
#endif

#endif
