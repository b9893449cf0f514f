/* Preloaded into Pronghorn's processes: the time of day jumps, forwards and back, several times a second, each process by
 * jumps of its own. What measures time that has passed (CLOCK_MONOTONIC and its like) is left alone, as are the times of files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Seconds by which the time of day is wrong at the moment. */
static time_t error(void) {
    static const time_t errors[] = {0, 3600, -3600, 400 * 86400L, -30 * 86400L, 7, -2, 60};
    struct timespec passed;
    REAL(clock_gettime)(CLOCK_MONOTONIC, &passed);
    uint64_t slot = (uint64_t)passed.tv_sec * 8 + (uint64_t)passed.tv_nsec / 125000000 + (uint64_t)getpid() * 977;
    return errors[slot * 0x9E3779B97F4A7C15u >> 61];
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = REAL(clock_gettime)(clock, time);
    if (!status && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += error();
    return status;
}

int gettimeofday(struct timeval *time, void *zone) {
    int status = REAL(gettimeofday)(time, zone);
    if (!status) time->tv_sec += error();
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
