/* SPDX-License-Identifier: Apache-2.0 */
/* gauge.h - what a client of Gauge sends it and gets. */
#ifndef GAUGE_H
#define GAUGE_H

#define GAUGE_DEVICE_NAME L"\\Device\\Gauge"
#define GAUGE_LINK_NAME   L"\\DosDevices\\Gauge"

/* Input: the number of a gauge, a ULONG. Output: its samples that this handle has not got yet, oldest first, as many as fit. */
#define IOCTL_GAUGE_READ CTL_CODE(FILE_DEVICE_UNKNOWN, 0x810, METHOD_OUT_DIRECT, FILE_READ_ACCESS)

/* The gauges. */
#define GAUGE_CLOCK    0 /* 100 ns since 1601 */
#define GAUGE_UPTIME   1 /* milliseconds since the start */
#define GAUGE_REQUESTS 2 /* requests that Gauge has answered */
#define GAUGE_COUNT    3

typedef struct _GAUGE_SAMPLE {
    LONGLONG When; /* 100 ns since 1601 */
    LONGLONG Value;
} GAUGE_SAMPLE, *PGAUGE_SAMPLE;

#endif
