/* Preloaded into Pronghorn's processes: records what they do to files below a folder, in one order over all processes,
 * and ends the process at a chosen step.
 *
 * TORTURE_ROOT       the folder; everything outside it is left alone
 * TORTURE_LOG        what is done is appended to this file: records as `struct record` has them
 * TORTURE_PASSINGS   the name of each step that is passed is appended to this file, a line each
 * TORTURE_KILL       NAME:COUNT: the process gets SIGKILL when it passes this step for the COUNT-th time
 * TORTURE_SAYS       set: what the process writes to standard output is recorded as well
 *
 * Steps are fsync, fdatasync, syncfs, rename, unlink, mkdir and truncate, each with `.before` and `.after`. A record is written under
 * a lock that is held over the call itself, so that the order of the records is the order of the calls. Writes that the C
 * library does for itself (stdio) are not seen; a file's whole contents are recorded when it is renamed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { CREATE = 1, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, SYNC_FILE, SYNC_FOLDER, SYNC_ALL, SAY, CONTENTS, RMDIR };

struct record {
    uint32_t operation, process;
    uint64_t file, offset, length;
    uint32_t first, second; /* the lengths of two paths, which follow; then `length` bytes of data (WRITE, SAY, CONTENTS) */
};

static char root[PATH_MAX], fatal[64];
static size_t root_length;
static int log_file = -1, passings = -1, says;
static long fatal_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *value = getenv("TORTURE_ROOT");
    if (!value || !*value) return;
    root_length = strlen(value);
    memcpy(root, value, root_length + 1);
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    if ((value = getenv("TORTURE_LOG"))) log_file = REAL(open)(value, flags, 0666);
    if ((value = getenv("TORTURE_PASSINGS"))) passings = REAL(open)(value, flags, 0666);
    if ((value = getenv("TORTURE_KILL"))) {
        const char *colon = strchr(value, ':');
        if (colon && colon - value < (long)sizeof fatal) {
            memcpy(fatal, value, colon - value);
            fatal_count = atol(colon + 1);
        }
    }
    says = getenv("TORTURE_SAYS") != NULL;
}

static void pass(const char *step, const char *when) {
    char name[64];
    int length = snprintf(name, sizeof name, "%s.%s\n", step, when);
    if (passings >= 0 && REAL(write)(passings, name, length) < 0) _exit(70);
    name[length - 1] = 0;
    if (fatal_count > 0 && !strcmp(name, fatal) && __sync_sub_and_fetch(&fatal_count, 1) == 0) kill(getpid(), SIGKILL);
}

static int is_inside(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* The absolute path of one that may be relative to a folder. */
static int absolute(int folder, const char *path, char *out) {
    if (path[0] == '/') return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
    char base[PATH_MAX], link[64];
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length < 0) return 0;
        base[length] = 0;
    }
    return snprintf(out, PATH_MAX, "%s/%s", base, path) < PATH_MAX;
}

/* The path of an open file or folder below the root; 0 for anything else. */
static int path_of(int number, struct stat *status, char *out) {
    if (!root_length || fstat(number, status) || !(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    if (length < 0) return 0;
    out[length] = 0;
    return is_inside(out);
}

static void hold(void) {
    pthread_mutex_lock(&mutex);
    if (log_file >= 0) flock(log_file, LOCK_EX);
}

static void release(void) {
    int kept = errno;
    if (log_file >= 0) flock(log_file, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = kept;
}

static void put(enum operation operation, uint64_t file, uint64_t offset, const void *data, uint64_t length, const char *first,
                const char *second) {
    if (log_file < 0) return;
    int kept = errno;
    uint64_t held = data ? length : 0;
    struct record record = {operation, getpid(), file, offset, length, first ? strlen(first) : 0, second ? strlen(second) : 0};
    struct iovec parts[] = {
        {&record, sizeof record}, {(void *)first, record.first}, {(void *)second, record.second}, {(void *)data, held}};
    if (REAL(writev)(log_file, parts, 4) < 0) _exit(71);
    errno = kept;
}

/* Opening: what matters is whether a name was made, and whether the file was emptied. */
static int opened(int (*call)(int, const char *, int, mode_t), int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !absolute(folder, path, full) || !is_inside(full)) return call(folder, path, flags, mode);
    hold();
    struct stat status;
    int was = lstat(full, &status) == 0;
    int number = call(folder, path, flags, mode);
    if (number >= 0 && fstat(number, &status) == 0 && S_ISREG(status.st_mode)) {
        if (!was) put(CREATE, status.st_ino, 0, NULL, 0, full, NULL);
        else if (flags & O_TRUNC) put(TRUNCATE, status.st_ino, 0, NULL, 0, full, NULL);
    }
    release();
    return number;
}

static int call_openat(int folder, const char *path, int flags, mode_t mode) { return REAL(openat)(folder, path, flags, mode); }

#define MODE(flags, last) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, last); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { MODE(flags, flags) return opened(call_openat, AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return opened(call_openat, AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags, flags) return opened(call_openat, folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, flags) return opened(call_openat, folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(call_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* Writing. */
#define RECORDED_WRITE(number, call, place, data, size) \
    struct stat status; \
    char path[PATH_MAX]; \
    int spoken = says && number == 1 && log_file >= 0; \
    if (log_file < 0 || !(spoken || path_of(number, &status, path))) return call; \
    hold(); \
    ssize_t written = call; \
    if (written > 0) { \
        int kept = errno; \
        if (spoken) put(SAY, 0, 0, data, written, NULL, NULL); \
        else put(WRITE, status.st_ino, place, data, written, path, NULL); \
        errno = kept; \
    } \
    release(); \
    return written;

ssize_t write(int number, const void *data, size_t size) {
    RECORDED_WRITE(number, REAL(write)(number, data, size), lseek(number, 0, SEEK_CUR) - written, data, size)
}
ssize_t pwrite(int number, const void *data, size_t size, off_t offset) {
    RECORDED_WRITE(number, REAL(pwrite)(number, data, size, offset), offset, data, size)
}
ssize_t pwrite64(int number, const void *data, size_t size, off64_t offset) {
    RECORDED_WRITE(number, REAL(pwrite64)(number, data, size, offset), offset, data, size)
}
ssize_t writev(int number, const struct iovec *parts, int count) {
    struct stat status;
    char path[PATH_MAX];
    if (log_file < 0 || !path_of(number, &status, path)) return REAL(writev)(number, parts, count);
    ssize_t sum = 0;
    for (int index = 0; index < count; index++) {
        ssize_t written = write(number, parts[index].iov_base, parts[index].iov_len);
        if (written < 0) return sum ? sum : written;
        sum += written;
        if ((size_t)written < parts[index].iov_len) break;
    }
    return sum;
}

/* Steps. */
#define STEP(name, number, call, after) \
    struct stat status; \
    char path[PATH_MAX]; \
    if (!path_of(number, &status, path)) return call; \
    pass(name, "before"); \
    hold(); \
    int result = call; \
    if (result == 0) { after; } \
    release(); \
    pass(name, "after"); \
    return result;

#define PUT_SYNC put(S_ISDIR(status.st_mode) ? SYNC_FOLDER : SYNC_FILE, status.st_ino, 0, NULL, 0, path, NULL)

int fsync(int number) { STEP("fsync", number, REAL(fsync)(number), PUT_SYNC) }
int fdatasync(int number) { STEP("fdatasync", number, REAL(fdatasync)(number), PUT_SYNC) }
int syncfs(int number) { STEP("syncfs", number, REAL(syncfs)(number), put(SYNC_ALL, 0, 0, NULL, 0, path, NULL)) }
int ftruncate(int number, off_t size) {
    STEP("truncate", number, REAL(ftruncate)(number, size), put(TRUNCATE, status.st_ino, size, NULL, 0, path, NULL))
}
int ftruncate64(int number, off64_t size) { return ftruncate(number, size); }

static void put_contents(const char *path) {
    struct stat status;
    if (log_file < 0 || lstat(path, &status) || !S_ISREG(status.st_mode) || status.st_size > (64 << 20)) return;
    char *data = malloc(status.st_size + 1);
    int number = REAL(open)(path, O_RDONLY | O_CLOEXEC);
    if (data && number >= 0 && pread(number, data, status.st_size, 0) == status.st_size)
        put(CONTENTS, status.st_ino, 0, data, status.st_size, path, NULL);
    if (number >= 0) close(number);
    free(data);
}

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char first[PATH_MAX], second[PATH_MAX];
    if (!root_length || !absolute(from_folder, from, first) || !absolute(to_folder, to, second) ||
        !(is_inside(first) || is_inside(second)))
        return REAL(renameat2)(from_folder, from, to_folder, to, flags);
    pass("rename", "before");
    hold();
    put_contents(first);
    int result = REAL(renameat2)(from_folder, from, to_folder, to, flags);
    if (result == 0) put(RENAME, 0, 0, NULL, 0, first, second);
    release();
    pass("rename", "after");
    return result;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

#define NAMED(name, operation, folder, given, call) \
    char path[PATH_MAX]; \
    if (!root_length || !absolute(folder, given, path) || !is_inside(path)) return call; \
    pass(name, "before"); \
    hold(); \
    int result = call; \
    if (result == 0) put(operation, 0, 0, NULL, 0, path, NULL); \
    release(); \
    pass(name, "after"); \
    return result;

int unlink(const char *given) { NAMED("unlink", UNLINK, AT_FDCWD, given, REAL(unlink)(given)) }
int unlinkat(int folder, const char *given, int flags) {
    NAMED("unlink", flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, given, REAL(unlinkat)(folder, given, flags))
}
int rmdir(const char *given) { NAMED("unlink", RMDIR, AT_FDCWD, given, REAL(rmdir)(given)) }
int mkdir(const char *given, mode_t mode) { NAMED("mkdir", MKDIR, AT_FDCWD, given, REAL(mkdir)(given, mode)) }
int mkdirat(int folder, const char *given, mode_t mode) { NAMED("mkdir", MKDIR, folder, given, REAL(mkdirat)(folder, given, mode)) }
