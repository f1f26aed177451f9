/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ftp.h - a net with the ftp helper, for its tests; each begins with stream_connect() or
 * stream_accept(), and "PORT 10,0,0,2,16,1" announces port 4097 of INSIDE.
 */
#ifndef FTP_H
#define FTP_H

#include "stream.h"

int ftp_setup(void **state);

#define ftp_test(f) cmocka_unit_test_setup_teardown(f, ftp_setup, net_teardown)

/* REMOTE opens the announced data connection: to the alias's port, and so to the host's. */
void ftp_data_arrives(struct stream *s, uint16_t port, const char *host, uint16_t host_port);

#endif
