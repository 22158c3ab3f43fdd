// A backend for measuring proxies: as little work per request as a server can do. GET /128 and GET /16k, keep-alive only.
// It trusts its peer, and is no example for anything else.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char answers[2][20000];
static size_t lengths[2];

static void prepare(int which, int body) {
  int head = sprintf(answers[which],
                     "HTTP/1.1 200 OK\r\nServer: backend\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", body);
  memset(answers[which] + head, 'x', (size_t)body);
  lengths[which] = (size_t)(head + body);
}

int main(int count, char** arguments) {
  static char request[8192];
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(count > 1 ? arguments[1] : "9301")),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  prepare(0, 128);
  prepare(1, 16384);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void*)&address, sizeof address) || listen(listener, 4096)) return perror("listen"), 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, 0, 0, 0)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          event.events = EPOLLIN;
          event.data.fd = fd;
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
        continue;
      }
      ssize_t got = recv(fd, request, sizeof request, 0);
      if (got <= 0) {
        close(fd);
        continue;
      }
      int which = got > 8 && memmem(request, 16, "/16k", 4) != 0;
      // Blocking: a proxy that does not read is not measured here.
      send(fd, answers[which], lengths[which], MSG_NOSIGNAL);
    }
  }
}
