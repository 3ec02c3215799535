/* The ceiling: takes the same watchers as the server does, and then only writes to them.

   writer CORE PAYLOAD
   PAYLOAD is a file with what a `next` carries. Commands are lines on standard input, each is answered by
   one line of JSON on standard output; the first line says the port.
     storm SECONDS   one frame to each watcher, again and again, for so long
     quit */

#include "wire.h"

enum { MOST = 100000, ROOM = 1 << 16, EVENTS = 512, ID = 14 /* watcher-000000 */, SEND_BUFFER = 64 * 1024 };

struct client {
    int fd, upgraded;
    char id[ID + 1];
};

static struct client clients[MOST]; /* by descriptor */
static int poller, listener;
static int members[MOST], member_count;
static unsigned char frame[ROOM + 14];
static size_t frame_length, id_at;

/* One buffer for all: the watchers' ids are of one length, so only these bytes change. */
static void build_frame(const char *path) {
    static char message[ROOM];
    size_t length;
    char *payload = read_file(path, &length);
    int whole = snprintf(message, sizeof message, "{\"id\":\"%0*d\",\"type\":\"next\",\"payload\":%s}", ID, 0, payload);
    frame_length = write_frame(frame, TEXT, message, (size_t)whole, 0);
    id_at = frame_length - (size_t)whole + strlen("{\"id\":\"");
    free(payload);
}

static void leave(struct client *client) {
    for (int i = 0; i < member_count; i++)
        if (members[i] == client->fd) members[i] = members[--member_count];
    close(client->fd);
}

/* Descriptors are blocking: where one is full, the generator is the slower of the two. */
static void send_to(struct client *client) {
    memcpy(frame + id_at, client->id, ID);
    size_t sent = 0;
    while (sent < frame_length) {
        ssize_t more = send(client->fd, frame + sent, frame_length - sent, MSG_NOSIGNAL);
        if (more < 0) return;
        sent += (size_t)more;
    }
}

static void take_message(struct client *client, char *text, size_t length) {
    static const char ack[] = "{\"type\":\"connection_ack\"}";
    const char *id = memmem(text, length, "\"id\":\"", 6);
    unsigned char answer[sizeof ack + 14];
    if (memmem(text, length, "connection_init", 15)) {
        send(client->fd, answer, write_frame(answer, TEXT, ack, strlen(ack), 0), MSG_NOSIGNAL);
    } else if (id && memmem(text, length, "\"subscribe\"", 11)) {
        memcpy(client->id, id + 6, ID);
        members[member_count++] = client->fd;
        send_to(client);
    }
}

static void receive(struct client *client) {
    static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: " WS_ACCEPT "\r\n"
                                   "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
    static unsigned char room[ROOM];
    struct frame got;
    ssize_t length = recv(client->fd, room, sizeof room, 0);
    if (length <= 0) {
        leave(client);
        return;
    }
    if (!client->upgraded) { /* our generator's requests are small and come whole */
        client->upgraded = 1;
        send(client->fd, accepted, strlen(accepted), MSG_NOSIGNAL);
        return;
    }
    for (size_t at = 0; read_frame(room + at, (size_t)length - at, &got); at += got.whole)
        if (got.opcode == TEXT) take_message(client, (char *)got.payload, got.length);
}

static void welcome(void) {
    int yes = 1, size = SEND_BUFFER, fd = accept(listener, NULL, NULL);
    if (fd < 0 || fd >= MOST) die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    clients[fd] = (struct client){.fd = fd};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void storm(double seconds) {
    int64_t ends = now_ns() + (int64_t)(seconds * 1e9), rounds = 0;
    for (; member_count && now_ns() < ends; rounds++)
        for (int i = 0; i < member_count; i++) send_to(&clients[members[i]]);
    printf("{\"rounds\":%lld}\n", (long long)rounds);
    fflush(stdout);
}

static void hear(void) {
    char command[256];
    double seconds;
    ssize_t length = read(STDIN_FILENO, command, sizeof command - 1);
    if (length <= 0) exit(0);
    command[length] = 0;
    if (sscanf(command, "storm %lf", &seconds) != 1) exit(0);
    storm(seconds);
}

int main(int count, char **given) {
    if (count != 3) {
        fprintf(stderr, "writer CORE PAYLOAD\n");
        return 2;
    }
    settle_on((unsigned)atoi(given[1]));
    build_frame(given[2]);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&here, size) || listen(listener, 4096)) die("listen");
    getsockname(listener, (struct sockaddr *)&here, &size);
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    printf("{\"port\":%d}\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                welcome();
            else if (fd == STDIN_FILENO)
                hear();
            else
                receive(&clients[fd]);
        }
    }
}
