/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h - all gauges with their samples, and the thread that takes these. */
#ifndef RECORDER_H
#define RECORDER_H

#include "gauges.h"

#define GAUGE_CAPACITY         600  /* samples kept of each gauge */
#define GAUGE_INTERVAL_DEFAULT 1000 /* milliseconds between two samples, if the registry does not say */
#define GAUGE_INTERVAL_MIN     10
#define GAUGE_INTERVAL_MAX     3600000

class Recorder {
public:
    explicit Recorder(ULONG IntervalMilliseconds);
    ~Recorder(); // ends the thread
    NTSTATUS Start();
    NTSTATUS Read(ULONG Number, PMDL Output, ULONG Size, PLONGLONG Since, PULONG_PTR Length);

private:
    Recorder(const Recorder &);
    Recorder &operator=(const Recorder &);

    static KSTART_ROUTINE Run;
    NTSTATUS Add(ULONG Number, Gauge *Source);
    VOID SampleAll();

    KSPIN_LOCK Lock; // guards what the series hold
    Series *All[GAUGE_COUNT];
    CounterGauge *Requests; // one of the gauges
    KEVENT Stop;
    PVOID Thread;
    LONGLONG Interval; // 100 ns
};

#endif
