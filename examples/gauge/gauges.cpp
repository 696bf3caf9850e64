// SPDX-License-Identifier: Apache-2.0
// gauges.cpp - what can be measured, and the samples of it.
#include "gauges.h"

void *Gauge::operator new(size_t Size) throw()
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, GAUGE_TAG_GAUGE);
}

void Gauge::operator delete(void *Memory)
{
    ExFreePoolWithTag(Memory, GAUGE_TAG_GAUGE);
}

LONGLONG ClockGauge::Read() const
{
    LARGE_INTEGER Now;

    KeQuerySystemTime(&Now);
    return Now.QuadPart;
}

LONGLONG UptimeGauge::Read() const
{
    LARGE_INTEGER Frequency;
    LARGE_INTEGER Ticks = KeQueryPerformanceCounter(&Frequency);

    return Ticks.QuadPart / Frequency.QuadPart * 1000 + Ticks.QuadPart % Frequency.QuadPart * 1000 / Frequency.QuadPart;
}

LONGLONG CounterGauge::Read() const
{
    return Count;
}

void *Series::operator new(size_t Size, ULONG Capacity) throw()
{
    return ExAllocatePoolWithTag(NonPagedPoolCacheAligned, Size + Capacity * sizeof(GAUGE_SAMPLE), GAUGE_TAG_SERIES);
}

void Series::operator delete(void *Memory)
{
    ExFreePoolWithTag(Memory, GAUGE_TAG_SERIES);
}

VOID Series::Sample(LONGLONG When)
{
    GAUGE_SAMPLE *Sample = Samples() + Next;

    Sample->When = When;
    Sample->Value = Source->Read();
    Next = (Next + 1) % Capacity;
    if (Valid < Capacity) {
        Valid++;
    }
}

ULONG Series::Copy(PGAUGE_SAMPLE To, ULONG Room, LONGLONG Since) const
{
    ULONG Count = 0;
    ULONG i;

    for (i = Capacity - Valid; i < Capacity && Count < Room; i++) {
        const GAUGE_SAMPLE *Sample = Samples() + (Next + i) % Capacity;

        if (Sample->When > Since) {
            To[Count++] = *Sample;
        }
    }
    return Count;
}
