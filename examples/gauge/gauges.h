/* SPDX-License-Identifier: Apache-2.0 */
/* gauges.h - what can be measured, and the samples of it. */
#ifndef GAUGES_H
#define GAUGES_H

#include "memory.h"
#include "gauge.h"

// Gauge is something with a value at each moment. Gauges are read at DISPATCH_LEVEL: they live in nonpaged pool, whoever
// makes one.
class Gauge {
public:
    virtual ~Gauge() {}
    virtual LONGLONG Read() const = 0;

    static void *operator new(size_t Size) throw();
    static void operator delete(void *Memory);
};

class ClockGauge : public Gauge {
public:
    LONGLONG Read() const;
};

class UptimeGauge : public Gauge {
public:
    LONGLONG Read() const;
};

// CounterGauge is one that is counted up from outside.
class CounterGauge : public Gauge {
public:
    CounterGauge() : Count(0) {}
    LONGLONG Read() const;
    VOID Add() { InterlockedIncrement(&Count); }

private:
    volatile LONG Count;
};

// Series is the latest samples of a gauge, which it owns. The caller holds whatever guards it.
class Series {
public:
    Series(Gauge *Source, ULONG Capacity) : Source(Source), Capacity(Capacity), Next(0), Valid(0) {}
    ~Series() { delete Source; }
    VOID Sample(LONGLONG When);
    ULONG Copy(PGAUGE_SAMPLE To, ULONG Room, LONGLONG Since) const; // how many; later ones only, oldest first

    // The samples stand behind the object. One of them is written each second on one processor and read on others.
    static void *operator new(size_t Size, ULONG Capacity) throw();
    static void operator delete(void *Memory);
    static void operator delete(void *Memory, ULONG) { operator delete(Memory); }

private:
    Series(const Series &);
    Series &operator=(const Series &);

    Gauge *Source;
    ULONG Capacity;
    ULONG Next;  // where the next sample goes
    ULONG Valid; // samples taken so far, at most Capacity

    PGAUGE_SAMPLE Samples() { return reinterpret_cast<PGAUGE_SAMPLE>(this + 1); }
    const GAUGE_SAMPLE *Samples() const { return reinterpret_cast<const GAUGE_SAMPLE *>(this + 1); }
};

#endif
