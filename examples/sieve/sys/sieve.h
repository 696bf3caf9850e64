/* SPDX-License-Identifier: Apache-2.0 */
/* sieve.h - what the source files of Sieve share, and what its clients send it. */
#ifndef SIEVE_H
#define SIEVE_H

#include "sievelib.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SIEVE_DEVICE_NAME L"\\Device\\Sieve"
#define SIEVE_LINK_NAME   L"\\DosDevices\\Sieve"

/* Input: the text of a rule. Output: its number, a ULONG; they count from 1. */
#define IOCTL_SIEVE_ADD  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x820, METHOD_BUFFERED, FILE_WRITE_ACCESS)
/* Input: a SIEVE_PACKET. Output: the number of the first rule that matches, a ULONG, or 0. */
#define IOCTL_SIEVE_TEST CTL_CODE(FILE_DEVICE_UNKNOWN, 0x821, METHOD_BUFFERED, FILE_READ_ACCESS)
/* Output: the oldest packet that matched and was not taken yet. */
#define IOCTL_SIEVE_TAKE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x822, METHOD_BUFFERED, FILE_READ_ACCESS)

#define SIEVE_RULES_MAX 64
#define SIEVE_CATCH_MAX 256 /* packets kept until they are taken */

/* The tags are written backwards, as the pool shows them. */
#define SIEVE_TAG_CODE  'oCvS' /* "SvCo" */
#define SIEVE_TAG_RULE  'uRvS' /* "SvRu" */
#define SIEVE_TAG_TABLE 'bTvS' /* "SvTb" */
#define SIEVE_TAG_CATCH 'aCvS' /* "SvCa" */
#define SIEVE_TAG_STATE 'tSvS' /* "SvSt" */

/* compile.c: the machine code of a program, and what it says of a packet. Matching may be done at DISPATCH_LEVEL. */
typedef struct _SIEVE_CODE SIEVE_CODE, *PSIEVE_CODE;
PSIEVE_CODE SieveCompile(const SIEVE_PROGRAM *Program);
BOOLEAN SieveMatches(PSIEVE_CODE Code, const SIEVE_PACKET *Packet);
VOID SieveDiscard(PSIEVE_CODE Code);

/* rules.cpp: all rules. They are added at PASSIVE_LEVEL, by one at a time, and match at DISPATCH_LEVEL or below. */
typedef struct _SIEVE_RULES SIEVE_RULES, *PSIEVE_RULES;
PSIEVE_RULES SieveOpenRules(VOID);
VOID SieveCloseRules(PSIEVE_RULES Rules);
NTSTATUS SieveAddRule(PSIEVE_RULES Rules, const CHAR *Text, ULONG Length, PULONG Number);
ULONG SieveFirstMatch(PSIEVE_RULES Rules, const SIEVE_PACKET *Packet);

#ifdef __cplusplus
}
#endif

#endif
