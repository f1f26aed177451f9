// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The near side of listings: opens the part that prints (parts/listing.so, libsmartcols) when
 * the first listing is made, and hands on to it.
 */
#include "listing_part.h"
#include <ipmasq/part.h>

#include <ipmasq/plugin.h>

static const struct ipmasq_listing_part *listing_part(struct ipmasq_error *error)
{
	static const struct ipmasq_listing_part *part;

	if (!part)
		part = ipmasq_part("listing", "ipmasq_listing_part", error);
	return part;
}

struct ipmasq_listing *ipmasq_listing_open(struct ipmasq_context *context, const char *name,
					   const struct ipmasq_column *columns, size_t n_columns)
{
	const struct ipmasq_listing_part *part = listing_part(&context->error);

	return part ? part->open(context, name, columns, n_columns) : NULL;
}

int ipmasq_listing_row(struct ipmasq_listing *listing, const char *const *cells,
		       struct ipmasq_error *error)
{
	return listing_part(error)->row(listing, cells, error);
}

int ipmasq_listing_print(struct ipmasq_listing *listing, struct ipmasq_error *error)
{
	return listing_part(error)->print(listing, error);
}

void ipmasq_listing_drop(struct ipmasq_listing *listing)
{
	struct ipmasq_error unused;

	if (listing)
		listing_part(&unused)->drop(listing);
}
