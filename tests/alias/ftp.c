/* SPDX-License-Identifier: BSD-2-Clause */
/* ftp.c - a net with the ftp helper, for its tests; ftp.h says what each does. */
#include "ftp.h"

int ftp_setup(void **state)
{
	return stream_setup(state, "ftp");
}

void ftp_data_arrives(struct stream *s, uint16_t port, const char *host, uint16_t host_port)
{
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 20, ALIAS, port), TH_SYN), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 20, host, host_port);
}
