/* What the two C programs of the bench have in common: RFC 6455 frames, a core of one's own, a clock. */
#ifndef WIRE_H
#define WIRE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The sample of RFC 6455, 1.3: key and answer are known, so nobody here needs SHA-1. */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct frame {
    unsigned char *payload;
    size_t length, whole; /* of the payload; with its header */
    enum opcode opcode;
    int final, masked;
};

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

static inline int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* Seconds of CPU that this process has used. */
static inline double cpu_used(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static inline void settle_on(unsigned core) {
    cpu_set_t cores;
    struct rlimit files;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores)) die("sched_setaffinity");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static inline char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    char *text = malloc(1 << 20);
    *length = fread(text, 1, (1 << 20) - 1, file);
    text[*length] = 0;
    fclose(file);
    return text;
}

/* Whether `from` begins with a whole frame; what a mask hides is laid open in place. */
static inline int read_frame(unsigned char *from, size_t available, struct frame *frame) {
    if (available < 2) return 0;
    size_t header = 2;
    uint64_t length = from[1] & 127;
    int extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    frame->masked = from[1] >> 7;
    if (available < header + (size_t)extra + (frame->masked ? 4 : 0)) return 0;
    if (extra)
        for (length = 0; header < 2 + (size_t)extra; header++) length = length << 8 | from[header];
    const unsigned char *mask = from + header;
    if (frame->masked) header += 4;
    if (length > available - header) return 0;
    *frame = (struct frame){from + header, length, header + length, from[0] & 15, from[0] >> 7, frame->masked};
    if (frame->masked)
        for (size_t i = 0; i < length; i++) frame->payload[i] ^= mask[i & 3];
    return 1;
}

/* Writes the frame to `to`, which has 14 bytes more than the payload; returns its length. */
static inline size_t write_frame(unsigned char *to, enum opcode opcode, const void *payload, size_t length,
                                 uint32_t mask) {
    size_t at = 2;
    to[0] = (unsigned char)(0x80 | opcode);
    int extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
    to[1] = (unsigned char)(extra == 0 ? length : extra == 2 ? 126 : 127) | (mask ? 0x80 : 0);
    for (int i = extra - 1; i >= 0; i--) to[at++] = (unsigned char)(length >> (8 * i));
    if (mask) memcpy(to + at, &mask, 4);
    const unsigned char *key = to + at, *from = payload;
    if (mask) at += 4;
    for (size_t i = 0; i < length; i++) to[at + i] = mask ? from[i] ^ key[i & 3] : from[i];
    return at + length;
}

#endif
