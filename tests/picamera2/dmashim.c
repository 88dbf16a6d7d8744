/* Preloaded where a kernel has no dma-buf devices: /dev/udmabuf and /dev/dma_heap/NAME seem to exist, and what is asked
   of them (by libcamera, by picamera2) is done with memory files. The memory is real, shared and mapped as theirs would
   be; that it could be given to a device is not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static int is_ours(const char *path)
{
    return !strcmp(path, "/dev/udmabuf") || !strncmp(path, "/dev/dma_heap/", 14);
}

static int opened(const char *symbol, const char *path, int flags, mode_t mode)
{
    int (*next)(const char *, int, ...);
    if (is_ours(path))
        return memfd_create("dmashim-device", MFD_CLOEXEC);
    *(void **)&next = dlsym(RTLD_NEXT, symbol);
    return next(path, flags, mode);
}

static int opened_at(const char *symbol, int folder, const char *path, int flags, mode_t mode)
{
    int (*next)(int, const char *, int, ...);
    if (is_ours(path))
        return memfd_create("dmashim-device", MFD_CLOEXEC);
    *(void **)&next = dlsym(RTLD_NEXT, symbol);
    return next(folder, path, flags, mode);
}

#define MODE_AFTER(last)                                            \
    mode_t mode = 0;                                                \
    if (flags & (O_CREAT | O_TMPFILE)) {                            \
        va_list rest;                                               \
        va_start(rest, last);                                       \
        mode = va_arg(rest, mode_t);                                \
        va_end(rest);                                               \
    }

int open(const char *path, int flags, ...) { MODE_AFTER(flags) return opened("open", path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_AFTER(flags) return opened("open64", path, flags, mode); }
int __open_2(const char *path, int flags) { return opened("open", path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened("open64", path, flags, 0); }

int openat(int folder, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opened_at("openat", folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opened_at("openat64", folder, path, flags, mode);
}

static int allocate(struct dma_heap_allocation_data *wanted)
{
    int fd = memfd_create("dmashim-buffer", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)wanted->len)) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    wanted->fd = (unsigned)fd;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    int (*next)(int, unsigned long, ...);
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    switch ((unsigned)request) {
    case DMA_HEAP_IOCTL_ALLOC:
        return allocate(argument);
    case UDMABUF_CREATE:
        return fcntl((int)((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    case DMA_BUF_IOCTL_SYNC: /* memory files are coherent */
    case (unsigned)DMA_BUF_SET_NAME_A:
    case (unsigned)DMA_BUF_SET_NAME_B:
        return 0;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, argument);
}
