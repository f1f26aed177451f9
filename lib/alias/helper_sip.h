/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_sip.h - what the two halves of SIP share: helper_sip.c (messages) and helper_sdp.c (the
 * session descriptions in them).
 */
#ifndef LIBALIAS_HELPER_SIP_H
#define LIBALIAS_HELPER_SIP_H

#include "helper_text.h"

#define SIP_ANNOUNCED 16 /* ports in one message */

/* A message that is being written anew. */
struct sip_message {
	const struct text_place *place;
	uint32_t own,
		other; /* the inside end's address as the sender has it, as the other has it */
	struct expectation announced[SIP_ANNOUNCED];
	int announced_count;
	bool changed;
};

/* Awaits what wanted says on behalf of the message; NULL: not possible. */
struct alias_link *sip_announce(struct sip_message *message, struct expectation wanted);

/* Writes a session description (RFC 4566) with the sender's addresses and ports replaced. */
void sdp_rewrite(struct sip_message *message, struct text_span body, struct text_out *out);

#endif
