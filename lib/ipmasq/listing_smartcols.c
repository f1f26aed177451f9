// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/listing.so: listings by libsmartcols, as columns or as JSON.
 *
 * libsmartcols prints nothing at all for a table without rows; scripts that skip the header
 * line want one.  An empty cell would make `cut` and `awk` count wrong, so callers never pass one.
 */
#include "listing_part.h"

#include <errno.h>
#include <ipmasq/plugin.h>
#include <libsmartcols.h>
#include <stdlib.h>

struct ipmasq_listing {
	struct libscols_table *table;
	size_t n_columns;
};

static void listing_drop(struct ipmasq_listing *listing)
{
	scols_unref_table(listing->table);
	free(listing);
}

static int setup(struct ipmasq_listing *listing, const struct ipmasq_context *context,
		 const char *name, const struct ipmasq_column *columns)
{
	scols_table_set_stream(listing->table, context->out);
	scols_table_enable_json(listing->table, context->json);
	scols_table_enable_nowrap(listing->table, 1);
	scols_table_set_termforce(listing->table, SCOLS_TERMFORCE_NEVER);
	if (scols_table_set_name(listing->table, name) < 0)
		return -1;
	for (size_t i = 0; i < listing->n_columns; i++) {
		struct libscols_column *column = scols_table_new_column(
			listing->table, columns[i].name, 0, columns[i].number ? SCOLS_FL_RIGHT : 0);

		if (!column)
			return -1;
		scols_column_set_json_type(column, columns[i].number ? SCOLS_JSON_NUMBER
								     : SCOLS_JSON_STRING);
	}
	return 0;
}

static struct ipmasq_listing *listing_open(struct ipmasq_context *context, const char *name,
					   const struct ipmasq_column *columns, size_t n_columns)
{
	struct ipmasq_listing *listing = calloc(1, sizeof(*listing));

	if (listing) {
		listing->n_columns = n_columns;
		listing->table = scols_new_table();
		if (listing->table && setup(listing, context, name, columns) == 0)
			return listing;
		listing_drop(listing);
	}
	ipmasq_fail(&context->error, ENOMEM, "out of memory");
	return NULL;
}

static int listing_row(struct ipmasq_listing *listing, const char *const *cells,
		       struct ipmasq_error *error)
{
	struct libscols_line *line = scols_table_new_line(listing->table, NULL);

	for (size_t i = 0; line && i < listing->n_columns; i++)
		if (scols_line_set_data(line, i, cells[i]) < 0)
			line = NULL;
	return line ? 0 : ipmasq_fail(error, ENOMEM, "out of memory");
}

static void print_header(const struct ipmasq_listing *listing)
{
	FILE *out = scols_table_get_stream(listing->table);

	for (size_t i = 0; i < listing->n_columns; i++)
		fprintf(out, "%s%s", i ? " " : "",
			scols_column_get_name(scols_table_get_column(listing->table, i)));
	fputc('\n', out);
}

static int listing_print(struct ipmasq_listing *listing, struct ipmasq_error *error)
{
	int rc = 0;

	if (scols_table_is_empty(listing->table) && !scols_table_is_json(listing->table))
		print_header(listing);
	else
		rc = scols_print_table(listing->table);

	listing_drop(listing);
	return rc < 0 ? ipmasq_fail(error, -rc, "cannot print the listing") : 0;
}

const struct ipmasq_listing_part ipmasq_listing_part = {
	listing_open,
	listing_row,
	listing_print,
	listing_drop,
};
