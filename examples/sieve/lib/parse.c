/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.c - from text to a program. From the loosest to the closest:
 *
 *     rule       = all { "|" all }
 *     all        = comparison { "&" comparison }
 *     comparison = operand [ ("=" | "<" | ">") operand ]
 *     operand    = number | "size" | "proto" | "sport" | "dport" | "(" rule ")"
 */
#include "sievelib.h"

#define TAG_PARSER  'aPvS' /* "SvPa" */
#define TAG_PROGRAM 'rPvS' /* "SvPr" */

#define NESTING_MAX 16 /* parentheses; the stack of a kernel thread is small */

typedef struct _PARSER {
    ULONG Next;    /* in Text */
    ULONG Nesting;
    ULONG Depth;   /* of the program's stack, as it is */
    NTSTATUS Status;
    PSIEVE_PROGRAM Program;
    CHAR Text[SIEVE_TEXT_MAX + 1]; /* ends in 0 */
} PARSER, *PPARSER;

static const struct {
    CHAR Name[6];
    ULONG Offset;
} Fields[] = {
    {"size", FIELD_OFFSET(SIEVE_PACKET, Size)},
    {"proto", FIELD_OFFSET(SIEVE_PACKET, Protocol)},
    {"sport", FIELD_OFFSET(SIEVE_PACKET, SourcePort)},
    {"dport", FIELD_OFFSET(SIEVE_PACKET, TargetPort)},
};

static VOID Rule(PPARSER Parser);

static VOID Fail(PPARSER Parser)
{
    Parser->Status = STATUS_INVALID_PARAMETER;
}

/* The next character that is no space, or 0. */
static CHAR Peek(PPARSER Parser)
{
    while (Parser->Text[Parser->Next] == ' ') {
        Parser->Next++;
    }
    return NT_SUCCESS(Parser->Status) ? Parser->Text[Parser->Next] : 0;
}

/* There is room: no step comes of less than one character. */
static VOID Push(PPARSER Parser, SIEVE_OPERATION Operation, ULONG Operand)
{
    PSIEVE_STEP Step = &Parser->Program->Steps[Parser->Program->Count++];

    Step->Operation = Operation;
    Step->Operand = Operand;
    if (Operation > SieveField) {
        Parser->Depth--;
    } else if (++Parser->Depth > SIEVE_DEPTH_MAX) {
        Fail(Parser);
    }
}

static VOID Number(PPARSER Parser)
{
    ULONG Value = 0;
    CHAR Digit;

    for (Digit = Peek(Parser); Digit >= '0' && Digit <= '9'; Digit = Parser->Text[++Parser->Next]) {
        if (Value > (MAXULONG - 9) / 10) {
            Fail(Parser);
            return;
        }
        Value = Value * 10 + (Digit - '0');
    }
    Push(Parser, SieveNumber, Value);
}

static VOID Field(PPARSER Parser)
{
    ULONG i, Length;

    for (i = 0; i < RTL_NUMBER_OF(Fields); i++) {
        Length = (ULONG)strlen(Fields[i].Name);
        if (strncmp(Parser->Text + Parser->Next, Fields[i].Name, Length) == 0) {
            Parser->Next += Length;
            Push(Parser, SieveField, Fields[i].Offset);
            return;
        }
    }
    Fail(Parser);
}

static VOID Operand(PPARSER Parser)
{
    CHAR First = Peek(Parser);

    if (First >= '0' && First <= '9') {
        Number(Parser);
    } else if (First != '(') {
        Field(Parser);
    } else if (++Parser->Nesting > NESTING_MAX) {
        Fail(Parser);
    } else {
        Parser->Next++;
        Rule(Parser);
        if (Peek(Parser) != ')') {
            Fail(Parser);
            return;
        }
        Parser->Next++;
        Parser->Nesting--;
    }
}

static VOID Comparison(PPARSER Parser)
{
    CHAR Sign;

    Operand(Parser);
    Sign = Peek(Parser);
    if (Sign == '=' || Sign == '<' || Sign == '>') {
        Parser->Next++;
        Operand(Parser);
        Push(Parser, Sign == '=' ? SieveEqual : Sign == '<' ? SieveLess : SieveGreater, 0);
    }
}

static VOID All(PPARSER Parser)
{
    Comparison(Parser);
    while (Peek(Parser) == '&') {
        Parser->Next++;
        Comparison(Parser);
        Push(Parser, SieveAnd, 0);
    }
}

static VOID Rule(PPARSER Parser)
{
    All(Parser);
    while (Peek(Parser) == '|') {
        Parser->Next++;
        All(Parser);
        Push(Parser, SieveOr, 0);
    }
}

NTSTATUS SieveParse(const CHAR *Text, ULONG Length, PSIEVE_PROGRAM *Program)
{
    PPARSER Parser;
    NTSTATUS Status;

    *Program = NULL;
    if (Length == 0 || Length > SIEVE_TEXT_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    Parser = SieveAllocate(PagedPool, sizeof(PARSER), TAG_PARSER);
    if (Parser == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Parser->Program = ExAllocatePoolWithTag(NonPagedPool, FIELD_OFFSET(SIEVE_PROGRAM, Steps) + Length * sizeof(SIEVE_STEP),
                                            TAG_PROGRAM);
    if (Parser->Program == NULL) {
        SieveFree(Parser);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Parser->Program->Count = 0;
    RtlCopyMemory(Parser->Text, Text, Length);
    Rule(Parser);
    if (Peek(Parser) != 0 || Parser->Next != Length) {
        Fail(Parser);
    }
    Status = Parser->Status;
    if (NT_SUCCESS(Status)) {
        *Program = Parser->Program;
    } else {
        SieveFree(Parser->Program);
    }
    SieveFree(Parser);
    return Status;
}
