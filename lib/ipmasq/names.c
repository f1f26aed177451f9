// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers to names for listings: hosts as hosts.c says, services by /etc/services.  What has
 * no name is shown as its number, and JSON, which programs read, has numbers only.
 */
#include <ipmasq/hosts.h>
#include <ipmasq/plugin.h>
#include <netdb.h>
#include <string.h>

const char *ipmasq_host_name(const struct ipmasq_context *context,
			     const struct ipmasq_address *address, char *text, unsigned int size)
{
	char number[IPMASQ_ADDRESS_TEXT];

	if (!context->numeric && !context->json && !ipmasq_address_is_any(address) &&
	    ipmasq_hosts_name(address, text, size) == 0)
		return text;
	snprintf(text, size, "%s", ipmasq_address_text(address, number));
	return text;
}

const char *ipmasq_service_name(const struct ipmasq_context *context, uint16_t port,
				uint8_t protocol, char *text, unsigned int size)
{
	const struct servent *service = NULL;

	if (!context->numeric && !context->json && port)
		service = getservbyport(htons(port), ipmasq_protocol_name(protocol));
	if (service)
		snprintf(text, size, "%s", service->s_name);
	else
		snprintf(text, size, "%u", port);
	return text;
}
