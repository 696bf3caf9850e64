// SPDX-License-Identifier: Apache-2.0
// rules.cpp - all rules, in the order in which they were added.
#include "sieve.h"

// Rule is the code of one, and how often it matched.
class Rule {
public:
    Rule() : Code(NULL), Hits(0) {}
    ~Rule() { SieveDiscard(Code); }
    NTSTATUS Compile(const CHAR *Text, ULONG Length);
    BOOLEAN Matches(const SIEVE_PACKET *Packet);

    static void *operator new(size_t Size) throw() { return SieveAllocate(NonPagedPool, Size, SIEVE_TAG_RULE); }
    static void operator delete(void *Memory) { SieveFree(Memory); }

private:
    Rule(const Rule &);
    Rule &operator=(const Rule &);

    PSIEVE_CODE Code;
    volatile LONG Hits;
};

// Each processor reads it for each packet.
struct _SIEVE_RULES {
    volatile LONG Count;
    Rule *All[SIEVE_RULES_MAX];
};

NTSTATUS Rule::Compile(const CHAR *Text, ULONG Length)
{
    PSIEVE_PROGRAM Program;
    NTSTATUS Status = SieveParse(Text, Length, &Program);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Code = SieveCompile(Program);
    SieveFree(Program);
    return Code == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

BOOLEAN Rule::Matches(const SIEVE_PACKET *Packet)
{
    if (!SieveMatches(Code, Packet)) {
        return FALSE;
    }
    InterlockedIncrement(&Hits);
    return TRUE;
}

PSIEVE_RULES SieveOpenRules(VOID)
{
    PVOID Rules = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, sizeof(SIEVE_RULES), SIEVE_TAG_TABLE);

    if (Rules != NULL) {
        RtlZeroMemory(Rules, sizeof(SIEVE_RULES));
    }
    return static_cast<PSIEVE_RULES>(Rules);
}

VOID SieveCloseRules(PSIEVE_RULES Rules)
{
    LONG i;

    for (i = 0; i < Rules->Count; i++) {
        delete Rules->All[i];
    }
    ExFreePoolWithTag(Rules, SIEVE_TAG_TABLE);
}

NTSTATUS SieveAddRule(PSIEVE_RULES Rules, const CHAR *Text, ULONG Length, PULONG Number)
{
    Rule *Added;
    NTSTATUS Status;

    if (Rules->Count == SIEVE_RULES_MAX) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Added = new Rule;
    if (Added == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = Added->Compile(Text, Length);
    if (!NT_SUCCESS(Status)) {
        delete Added;
        return Status;
    }
    Rules->All[Rules->Count] = Added;
    *Number = InterlockedIncrement(&Rules->Count); // who matches meanwhile sees a whole rule, or none
    return STATUS_SUCCESS;
}

ULONG SieveFirstMatch(PSIEVE_RULES Rules, const SIEVE_PACKET *Packet)
{
    LONG Count = Rules->Count;
    LONG i;

    for (i = 0; i < Count; i++) {
        if (Rules->All[i]->Matches(Packet)) {
            return i + 1;
        }
    }
    return 0;
}
