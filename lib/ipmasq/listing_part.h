/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What parts/listing.so exports as `ipmasq_listing_part`; the calls are those of listing.h. */
#ifndef IPMASQ_LISTING_PART_H
#define IPMASQ_LISTING_PART_H

#include <ipmasq/listing.h>

struct ipmasq_listing_part {
	struct ipmasq_listing *(*open)(struct ipmasq_context *context, const char *name,
				       const struct ipmasq_column *columns, size_t n_columns);
	int (*row)(struct ipmasq_listing *listing, const char *const *cells,
		   struct ipmasq_error *error);
	int (*print)(struct ipmasq_listing *listing, struct ipmasq_error *error);
	void (*drop)(struct ipmasq_listing *listing);
};

extern const struct ipmasq_listing_part ipmasq_listing_part;

#endif
