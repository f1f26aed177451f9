// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * traffic: the ends of a path, to measure what is between them.
 *
 *   traffic serve PORT              accept for ever, read and drop, until killed
 *   traffic connect ADDR PORT N     N connections one after the other: prints them per second
 *   traffic stream ADDR PORT MBYTE  one TCP stream: prints Mbyte per second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *drop(void *data)
{
	int fd = (int)(intptr_t)data;
	char *buffer = malloc(CHUNK);
	char done = 1;

	while (buffer && read(fd, buffer, CHUNK) > 0)
		continue;
	if (send(fd, &done, 1, MSG_NOSIGNAL) < 0)
		errno = 0; /* a client that only connects has gone */
	free(buffer);
	close(fd);
	return NULL;
}

static int serve(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const void *)address, sizeof(*address)) < 0 || listen(fd, 4096) < 0) {
		perror("traffic: serve");
		return 1;
	}
	for (;;) {
		int client = accept(fd, NULL, NULL);
		pthread_t thread;

		if (client < 0)
			continue;
		if (pthread_create(&thread, NULL, drop, (void *)(intptr_t)client) == 0)
			pthread_detach(thread);
		else
			close(client);
	}
}

static int dial(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const void *)address, sizeof(*address)) < 0) {
		perror("traffic: connect");
		exit(1);
	}
	return fd;
}

static int connect_often(const struct sockaddr_in *address, long n)
{
	/* A reset at the end, so that no port waits. */
	struct linger linger = {.l_onoff = 1};
	double begin = now();

	for (long i = 0; i < n; i++) {
		int fd = dial(address);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
	}
	printf("%.0f\n", (double)n / (now() - begin));
	return 0;
}

static int stream(const struct sockaddr_in *address, long mbytes)
{
	char *buffer = calloc(1, CHUNK), done;
	double begin = now();
	int fd = dial(address);

	for (long left = mbytes * 1024 * 1024; buffer && left > 0;) {
		ssize_t n = write(fd, buffer, CHUNK);

		if (n < 0) {
			perror("traffic: write");
			return 1;
		}
		left -= n;
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, &done, 1) != 1)
		return 1;
	printf("%.0f\n", (double)mbytes / (now() - begin));
	free(buffer);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	bool server = argc == 3 && strcmp(argv[1], "serve") == 0;

	if (!server && (argc != 5 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1)) {
		fputs("usage: traffic serve PORT | connect ADDR PORT N | stream ADDR PORT MBYTE\n",
		      stderr);
		return 2;
	}
	address.sin_port = htons((uint16_t)atoi(argv[server ? 2 : 3]));
	if (server)
		return serve(&address);
	return argv[1][0] == 'c' ? connect_often(&address, atol(argv[4]))
				 : stream(&address, atol(argv[4]));
}
