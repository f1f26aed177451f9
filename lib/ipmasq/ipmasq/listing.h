/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listings: columns for people and scripts, or JSON, from the same calls.  The table printer
 * is loaded when a listing is first made, so that a change does not pay for it.
 */
#ifndef IPMASQ_LISTING_H
#define IPMASQ_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct ipmasq_context;
struct ipmasq_error;
struct ipmasq_listing;

struct ipmasq_column {
	const char *name;
	bool number; /* right-aligned, and a number in JSON */
};

/*
 * ipmasq_listing_open - a listing called `name` (its key in JSON) with `n_columns` columns, or
 * NULL with an error in the context.  The format is the context's (--json or not).
 */
struct ipmasq_listing *ipmasq_listing_open(struct ipmasq_context *context, const char *name,
					   const struct ipmasq_column *columns, size_t n_columns);

/* Adds a row; `cells` are copied. */
int ipmasq_listing_row(struct ipmasq_listing *listing, const char *const *cells,
		       struct ipmasq_error *error);

/* Prints the listing to context->out and frees it. */
int ipmasq_listing_print(struct ipmasq_listing *listing, struct ipmasq_error *error);

/* Frees a listing that is not to be printed. */
void ipmasq_listing_drop(struct ipmasq_listing *listing);

#endif
