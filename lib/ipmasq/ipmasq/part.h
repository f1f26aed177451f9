/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the library that not every call needs and that bring another library with them
 * (libsmartcols, libnetfilter_conntrack) are shared objects of their own in PLUGINDIR/parts,
 * opened on first use by the loader of the plugins, with its checks.  The programs keep what they
 * rarely need in the same directory.
 */
#ifndef IPMASQ_PART_H
#define IPMASQ_PART_H

struct ipmasq_error;

/* The object `symbol` of PLUGINDIR/parts/NAME.so, or NULL with an error. */
void *ipmasq_part(const char *name, const char *symbol, struct ipmasq_error *error);

/* The object `symbol` of DIRECTORY/NAME.so, or NULL with an error. */
void *ipmasq_open_object(const char *directory_name, const char *name, const char *symbol,
			 struct ipmasq_error *error);

#endif
