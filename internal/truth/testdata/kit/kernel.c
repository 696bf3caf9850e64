/*
 * The kernel that runs drivers. For each driver, each Windows and each combination of ways, a process of its own enters the
 * driver as Windows does: the entry routine, then what it registered. Each request is a line on standard output:
 *
 *     <Windows> <file>:<line> <routine> <value in hexadecimal>
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Driver Driver;
struct Object {
    void (*Unload)(struct Object *);
    int (*Major[4])(void *, void *);
};
struct Version { unsigned Size, Major, Minor, Build, Platform; unsigned short Text[128]; };

/* The drivers stand in a file that is written for them; one without a name ends them. */
struct Driver {
    const char *name;
    int (*entry)(struct Object *, void *);
    int choices;
};
extern const Driver drivers[];

static unsigned major, minor, ways;

int RtlGetVersion(struct Version *v)
{
    if (v->Size != sizeof(*v)) {
        return -1;
    }
    v->Major = major;
    v->Minor = minor;
    return 0;
}

int Way(int n)
{
    return ways >> n & 1;
}

void *KernelRequest(const char *file, int line, const char *name, unsigned long long value)
{
    static long long memory[512];

    printf("%u.%u %s:%d %s %llx\n", major, minor, file, line, name, value);
    return memory;
}

static void run(const Driver *d)
{
    struct Object object = { 0 };

    alarm(10);
    if (d->entry(&object, 0) < 0) {
        printf("%s failed\n", d->name);
    }
    for (int i = 0; i < 4; i++) {
        if (object.Major[i]) {
            object.Major[i](0, 0);
        }
    }
    if (object.Unload) {
        object.Unload(&object);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "%u.%u", &major, &minor) != 2) {
            return 2;
        }
        for (const Driver *d = drivers; d->name; d++) {
            for (ways = 0; ways < 1u << d->choices; ways++) {
                int status = 0;

                fflush(stdout);
                if (fork() == 0) {
                    run(d);
                }
                if (wait(&status) < 0 || status != 0) {
                    printf("%s ended with status %d on %u.%u\n", d->name, status, major, minor);
                }
            }
        }
    }
    return 0;
}
