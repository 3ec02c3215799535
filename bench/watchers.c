/* Watches one subscription from many sockets, and says what arrived when.

   watchers CORE PORT SUBSCRIPTION PER_ADDRESS
   SUBSCRIPTION is a file with the payload of `subscribe`; each watcher has an operation id of its own. So
   many sockets come from one source address, then from the next of 127.0.0.0/8.

   Commands are lines on standard input, each is answered by one line of JSON on standard output:
     connect N AT_ONCE  N more watchers; over when each has its first `next` or was refused
     window SECONDS     what arrives in so long a time
     record             forgets the versions seen so far, and notes those that come
     versions           the versions seen since, with the times of their arrival; notes no more
     quit
   Every answer says which share of its core this program used since the last one (`load`), and how many
   watchers were lost so far. Times are CLOCK_MONOTONIC in nanoseconds. */

#include "wire.h"

#include <arpa/inet.h>

enum { ROOM = 1 << 20, EVENTS = 512, MOST_VERSIONS = 1 << 16, RECEIVE_BUFFER = 64 * 1024 };

/* Microseconds in which arrivals gather, as a network card gathers them: over loopback the server would else
   pay for waking this program at every frame. */
enum { BREATH = 500 };

enum stage { CONNECTING, UPGRADING, GREETING, SUBSCRIBING, WATCHING, GONE };

struct watcher {
    int fd;
    enum stage stage;
    char id[24];
    unsigned char *rest; /* the beginning of what has not arrived in full */
    size_t rest_length;
};

/* When one version came: how many watchers got it in each tenth of a millisecond after the first. */
struct version {
    int64_t number, first, last;
    int watchers, slots, room;
    struct slot { uint32_t after; int count; } *slot;
};

static struct watcher *watchers;
static int watched, stands, under_way, at_once, wanted, lost;
static int64_t messages, bytes, strangers;
static struct version *versions;
static int seen, recording;
static int port, per_address, poller;
static char *subscription;
static size_t subscription_length;
static unsigned char room[ROOM];
static int64_t began, ends;
static double cpu_before;
static enum { REST, CONNECT, WINDOW } doing;

static void begin(void) {
    messages = bytes = 0;
    began = now_ns();
}

/* What every answer ends with. */
static void end_answer(void) {
    static int64_t before;
    int64_t now = now_ns();
    double used = cpu_used(), passed = (double)(now - before) / 1e9;
    printf(",\"lost\":%d,\"strangers\":%lld,\"load\":%.3f}\n", lost, (long long)strangers,
           before ? (used - cpu_before) / passed : 0.0);
    fflush(stdout);
    before = now;
    cpu_before = used;
}

static void say(struct watcher *watcher, enum opcode opcode, const char *text, size_t length) {
    static unsigned char frame[ROOM + 14];
    size_t whole = write_frame(frame, opcode, text, length, 0x5eed1234);
    if (send(watcher->fd, frame, whole, MSG_NOSIGNAL) != (ssize_t)whole) perror("send");
}

static void lose(struct watcher *watcher, const char *why) {
    if (lost < 5) fprintf(stderr, "watcher %s is lost: %s\n", watcher->id, why);
    if (watcher->stage == WATCHING)
        stands--;
    else
        under_way--;
    close(watcher->fd);
    free(watcher->rest);
    watcher->rest = NULL;
    watcher->stage = GONE;
    lost++;
}

static void start(void) {
    struct watcher *watcher = &watchers[watched];
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1, size = RECEIVE_BUFFER;
    *watcher = (struct watcher){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    if (watcher->fd < 0) die("socket");
    snprintf(watcher->id, sizeof watcher->id, "watcher-%06d", watched);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(watched / per_address));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(watcher->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(watcher->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(watcher->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* else gigabytes wait in the kernel */
    if (bind(watcher->fd, (struct sockaddr *)&from, sizeof from)) die("bind");
    if (connect(watcher->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = watcher};
    epoll_ctl(poller, EPOLL_CTL_ADD, watcher->fd, &event);
    watched++;
    under_way++;
}

static void upgrade(struct watcher *watcher) {
    char request[512];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(watcher->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        lose(watcher, strerror(error));
        return;
    }
    int length = snprintf(request, sizeof request,
                          "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n", port);
    if (send(watcher->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
        lose(watcher, "it cannot send");
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watcher};
    epoll_ctl(poller, EPOLL_CTL_MOD, watcher->fd, &event);
    watcher->stage = UPGRADING;
}

/* How much of `text` the answer to the handshake took; 0 where it is not complete, or was refused. */
static size_t upgraded(struct watcher *watcher, const char *text, size_t length) {
    static const char hello[] = "{\"type\":\"connection_init\"}";
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - text) + 4;
    if (length < 12 || memcmp(text + 9, "101", 3) || !memmem(text, head, WS_ACCEPT, strlen(WS_ACCEPT))) {
        lose(watcher, "its handshake was refused");
        return 0;
    }
    watcher->stage = GREETING;
    say(watcher, TEXT, hello, strlen(hello));
    return head;
}

static void subscribe(struct watcher *watcher) {
    static char message[ROOM];
    int length = snprintf(message, sizeof message, "{\"id\":\"%s\",\"type\":\"subscribe\",\"payload\":%.*s}",
                          watcher->id, (int)subscription_length, subscription);
    watcher->stage = SUBSCRIBING;
    say(watcher, TEXT, message, (size_t)length);
}

/* The value behind `key` (which ends with a colon), blanks left out; NULL where there is none. */
static const char *value_of(const char *text, size_t length, const char *key) {
    const char *at = memmem(text, length, key, strlen(key)), *end = text + length;
    if (!at) return NULL;
    for (at += strlen(key); at < end && *at == ' ';) at++;
    return at < end ? at : NULL;
}

static int starts(const char *value, const char *text, size_t length, const char *with) {
    return value && (size_t)(text + length - value) >= strlen(with) && !memcmp(value, with, strlen(with));
}

static void note(int64_t number) {
    int64_t now = now_ns();
    struct version *version = NULL;
    for (int i = seen - 1; i >= 0 && !version; i--)
        if (versions[i].number == number) version = &versions[i];
    if (!version) {
        if (seen == MOST_VERSIONS) return;
        version = &versions[seen++];
        *version = (struct version){.number = number, .first = now};
    }
    uint32_t after = (uint32_t)((now - version->first) / 100000);
    if (!version->slots || version->slot[version->slots - 1].after != after) {
        if (version->slots == version->room) {
            version->room = version->room ? version->room * 2 : 64;
            version->slot = realloc(version->slot, (size_t)version->room * sizeof *version->slot);
        }
        version->slot[version->slots++] = (struct slot){after, 0};
    }
    version->slot[version->slots - 1].count++;
    version->last = now;
    version->watchers++;
}

static void take_next(struct watcher *watcher, const char *text, size_t length) {
    const char *id = value_of(text, length, "\"id\":");
    if (!id || !starts(id + 1, text, length, watcher->id)) strangers++;
    messages++;
    if (watcher->stage == SUBSCRIBING) {
        watcher->stage = WATCHING;
        under_way--;
        stands++;
    }
    const char *number = recording ? value_of(text, length, "\"version\":") : NULL;
    if (number) note(strtoll(number, NULL, 10)); /* a digit is never the last byte of an object */
}

static void take_message(struct watcher *watcher, const char *text, size_t length) {
    static const char pong[] = "{\"type\":\"pong\"}";
    const char *type = value_of(text, length, "\"type\":");
    if (starts(type, text, length, "\"next\""))
        take_next(watcher, text, length);
    else if (starts(type, text, length, "\"connection_ack\""))
        subscribe(watcher);
    else if (starts(type, text, length, "\"ping\""))
        say(watcher, TEXT, pong, strlen(pong));
    else {
        fprintf(stderr, "%.*s\n", (int)length, text);
        lose(watcher, "it was told something else");
    }
}

static void take_frame(struct watcher *watcher, const struct frame *frame) {
    if (frame->masked || !frame->final || frame->opcode == CONTINUATION || frame->opcode == BINARY)
        lose(watcher, "a server sends whole texts without a mask");
    else if (frame->opcode == TEXT)
        take_message(watcher, (const char *)frame->payload, frame->length);
    else if (frame->opcode == PING)
        say(watcher, PONG, (const char *)frame->payload, frame->length);
    else if (frame->opcode == CLOSE)
        lose(watcher, "the server closed it");
}

/* Returns how much of the bytes it used. */
static size_t take(struct watcher *watcher, unsigned char *from, size_t length) {
    size_t used = watcher->stage == UPGRADING ? upgraded(watcher, (const char *)from, length) : 0;
    struct frame frame;
    while (watcher->stage > UPGRADING && watcher->stage < GONE && read_frame(from + used, length - used, &frame)) {
        used += frame.whole;
        take_frame(watcher, &frame);
    }
    return used;
}

static void receive(struct watcher *watcher) {
    size_t kept = watcher->rest_length;
    memcpy(room, watcher->rest, kept);
    ssize_t got = recv(watcher->fd, room + kept, ROOM - kept, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) lose(watcher, "the line is cut");
        return;
    }
    bytes += got;
    size_t length = kept + (size_t)got, used = take(watcher, room, length);
    if (watcher->stage == GONE) return;
    watcher->rest_length = length - used;
    if (watcher->rest_length == ROOM) {
        lose(watcher, "a message is too long");
    } else if (watcher->rest_length) {
        watcher->rest = realloc(watcher->rest, watcher->rest_length);
        memcpy(watcher->rest, room + used, watcher->rest_length);
    }
}

static void print_versions(void) {
    printf("{\"versions\":[");
    for (int i = 0; i < seen; i++) {
        struct version *version = &versions[i];
        printf("%s{\"version\":%lld,\"first\":%lld,\"last\":%lld,\"watchers\":%d,\"arrivals\":[", i ? "," : "",
               (long long)version->number, (long long)version->first, (long long)version->last, version->watchers);
        for (int j = 0; j < version->slots; j++)
            printf("%s[%u,%d]", j ? "," : "", version->slot[j].after, version->slot[j].count);
        printf("]}");
    }
    printf("]");
    end_answer();
}

static void forget_versions(void) {
    for (int i = 0; i < seen; i++) free(versions[i].slot);
    seen = 0;
}

/* What may be over by now. */
static void look_up(void) {
    double passed = (double)(now_ns() - began) / 1e9;
    if (doing == CONNECT) {
        while (under_way < at_once && watched < wanted) start();
        if (under_way || watched < wanted) return;
        printf("{\"watchers\":%d,\"seconds\":%.4f", stands, passed);
    } else if (doing == WINDOW && now_ns() >= ends) {
        printf("{\"messages\":%lld,\"bytes\":%lld,\"seconds\":%.4f", (long long)messages, (long long)bytes, passed);
    } else {
        return;
    }
    doing = REST;
    end_answer();
}

static void obey(const char *command) {
    double seconds;
    int more;
    begin();
    if (sscanf(command, "connect %d %d", &more, &at_once) == 2) {
        doing = CONNECT;
        wanted = watched + more;
        if (watched) die("connect once"); /* the array must not move */
        watchers = calloc((size_t)wanted, sizeof *watchers);
    } else if (sscanf(command, "window %lf", &seconds) == 1) {
        doing = WINDOW;
        ends = began + (int64_t)(seconds * 1e9);
    } else if (!strncmp(command, "record", 6)) {
        forget_versions();
        recording = 1;
        printf("{\"recording\":true");
        end_answer();
    } else if (!strncmp(command, "versions", 8)) {
        recording = 0;
        print_versions();
    } else {
        exit(0);
    }
}

static void hear(void) {
    char command[256];
    ssize_t length = read(STDIN_FILENO, command, sizeof command - 1);
    if (length <= 0) exit(0);
    command[length] = 0;
    obey(command);
}

int main(int count, char **given) {
    if (count != 5) {
        fprintf(stderr, "watchers CORE PORT SUBSCRIPTION PER_ADDRESS\n");
        return 2;
    }
    settle_on((unsigned)atoi(given[1]));
    port = atoi(given[2]);
    subscription = read_file(given[3], &subscription_length);
    per_address = atoi(given[4]);
    versions = calloc(MOST_VERSIONS, sizeof *versions);
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, doing == REST ? -1 : 5);
        for (int i = 0; i < ready; i++) {
            struct watcher *watcher = events[i].data.ptr;
            if (!watcher)
                hear();
            else if (watcher->stage == CONNECTING)
                upgrade(watcher);
            else if (watcher->stage != GONE)
                receive(watcher);
        }
        look_up();
        if (ready > 0 && ready < EVENTS) usleep(BREATH);
    }
}
