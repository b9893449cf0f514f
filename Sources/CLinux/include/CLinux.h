// System calls that the Swift overlay of glibc does not show, since glibc declares them only with _GNU_SOURCE.
#pragma once

/// Keeps this process, with all threads that it starts from now on, on some logical cores. Returns 0, or an errno.
int linux_stay_on_cores(const int *cores, int count);
