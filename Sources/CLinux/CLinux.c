#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>

int linux_stay_on_cores(const int *cores, int count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++) {
        if (cores[i] < 0 || cores[i] >= CPU_SETSIZE) return EINVAL;
        CPU_SET(cores[i], &set);
    }
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}
