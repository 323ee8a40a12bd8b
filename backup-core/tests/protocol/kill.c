/* Preloaded into a process: kills it at its n-th step that changes a file beneath a folder.
 *
 * KILL_UNDER  the folder, absolute
 * KILL_AT     n, from 1; 0 kills nobody
 * KILL_HOW    "before" the step, "after" it, or "torn": after half of what is written
 *
 * A step is a call of the C library: what a program does without it is not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long steps;

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static int how(const char *what) {
    const char *asked = getenv("KILL_HOW");
    return asked && strcmp(asked, what) == 0;
}

static int is_under(const char *path) {
    const char *folder = getenv("KILL_UNDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_under_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_under(path);
}

/* Whether this step is the last one. */
static int is_last(void) {
    const char *at = getenv("KILL_AT");
    return at && atomic_fetch_add(&steps, 1) + 1 == atol(at);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Does a step, and dies before or after it if it is the last. */
#define STEP(counts, call)                       \
    int last = (counts) && is_last();            \
    if (last && !how("after"))                   \
        die();                                   \
    __typeof__(call) result = (call);            \
    if (last)                                    \
        die();                                   \
    return result

#define OPEN(name)                                                 \
    int name(const char *path, int flags, ...) {                   \
        va_list rest;                                              \
        va_start(rest, flags);                                     \
        mode_t mode = va_arg(rest, mode_t);                        \
        va_end(rest);                                              \
        STEP(is_under(path) && (flags & (O_CREAT | O_TRUNC)),      \
             REAL(name)(path, flags, mode));                       \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t length) {
    if (fd > 2 && is_under_fd(fd) && is_last()) {
        if (!how("before"))
            REAL(write)(fd, bytes, how("torn") ? length / 2 : length);
        die();
    }
    return REAL(write)(fd, bytes, length);
}

int fsync(int fd) { STEP(is_under_fd(fd), REAL(fsync)(fd)); }
int fdatasync(int fd) { STEP(is_under_fd(fd), REAL(fdatasync)(fd)); }
int ftruncate64(int fd, off64_t length) {
    STEP(is_under_fd(fd), REAL(ftruncate64)(fd, length));
}
int mkdir(const char *path, mode_t mode) { STEP(is_under(path), REAL(mkdir)(path, mode)); }
int rename(const char *from, const char *to) { STEP(is_under(to), REAL(rename)(from, to)); }
int link(const char *from, const char *to) { STEP(is_under(to), REAL(link)(from, to)); }
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    STEP(is_under(to), REAL(linkat)(from_dir, from, to_dir, to, flags));
}
int unlink(const char *path) { STEP(is_under(path), REAL(unlink)(path)); }
int rmdir(const char *path) { STEP(is_under(path), REAL(rmdir)(path)); }

/* Says at the end how many steps there were. */
__attribute__((destructor)) static void say(void) {
    const char *file = getenv("KILL_COUNT");
    if (!file)
        return;
    FILE *out = fopen(file, "w");
    if (out) {
        fprintf(out, "%ld\n", atomic_load(&steps));
        fclose(out);
    }
}
