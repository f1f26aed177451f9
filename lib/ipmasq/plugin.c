// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plugin loader: NAME.so from the plugin directory, checked before a byte of it runs.
 *
 * The name must be plain, so that no path can be smuggled in; with privilege the directory and
 * the file must be root's own and closed to others, which also closes the gap between the
 * check and dlopen(3): who cannot write there cannot swap the file.  The ABI number is compared
 * before anything else of the plugin is used.  IPMASQADM_PLUGINDIR names another directory, for
 * trying a plugin out, and passes the same checks.
 */
#include <ipmasq/part.h>

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <ipmasq/plugin.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX       ".so"
#define PLUGINS_MAX  64
#define OVERFLOW_UID 65534u /* /proc/sys/kernel/overflowuid, as everybody leaves it */

static const char *directory(void)
{
	const char *name = secure_getenv("IPMASQADM_PLUGINDIR");

	return name && *name ? name : PLUGINDIR;
}

static bool plain_name(const char *name)
{
	size_t length = strlen(name);

	if (!isalpha((unsigned char)*name) || length >= IPMASQ_OWNER_SIZE)
		return false;
	for (; *name; name++) /* what nf_tables takes in a name, since rules carry it */
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* In a user namespace that does not map it, the owner of the system's files is nobody. */
static bool is_unmapped_owner(uid_t owner)
{
	unsigned int inside = 0, outside = 0, count = UINT_MAX;
	FILE *map = owner == OVERFLOW_UID ? fopen("/proc/self/uid_map", "re") : NULL;

	if (!map)
		return false;
	if (fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
		count = UINT_MAX;
	fclose(map);
	return count != UINT_MAX; /* all of them: the initial namespace */
}

/* With privilege: only what root owns and nobody else can write. */
static int check_trust(const char *path, struct ipmasq_error *error)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return ipmasq_fail(error, errno, "cannot look at %s: %s", path, strerror(errno));
	if (geteuid() != 0)
		return 0;
	if (status.st_uid != 0 && !is_unmapped_owner(status.st_uid))
		return ipmasq_fail(error, EPERM,
				   "%s belongs to user %u: root loads only what root owns; "
				   "chown root it if it is to be trusted",
				   path, status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return ipmasq_fail(
			error, EPERM,
			"%s can be written by others: chmod go-w it if it is to be trusted", path);
	return 0;
}

void *ipmasq_open_object(const char *directory_name, const char *name, const char *symbol,
			 struct ipmasq_error *error)
{
	char path[4096];
	void *handle, *object;
	int length = snprintf(path, sizeof(path), "%s/%s" SUFFIX, directory_name, name);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		ipmasq_fail(error, ENAMETOOLONG, "the plugin directory's name is too long");
		return NULL;
	}
	if (check_trust(directory_name, error) < 0 || check_trust(path, error) < 0)
		return NULL;
	handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		ipmasq_fail(error, ELIBACC, "cannot load %s: %s", path, dlerror());
		return NULL;
	}
	object = dlsym(handle, symbol);
	if (!object)
		ipmasq_fail(error, ELIBBAD, "%s is no module of ipmasqadm: it has no '%s'", path,
			    symbol);
	return object;
}

void *ipmasq_part(const char *name, const char *symbol, struct ipmasq_error *error)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/parts", directory());

	if (length < 0 || (size_t)length >= sizeof(path)) {
		ipmasq_fail(error, ENAMETOOLONG, "the plugin directory's name is too long");
		return NULL;
	}
	return ipmasq_open_object(path, name, symbol, error);
}

/* The plugins that were loaded; they stay, so that a rules file checks each only once. */
static const struct ipmasq_plugin *loaded[PLUGINS_MAX];

static const struct ipmasq_plugin *load_plugin(const char *name, struct ipmasq_error *error)
{
	const struct ipmasq_plugin *plugin;
	char path[4096];

	if (!plain_name(name)) {
		ipmasq_usage(error,
			     "'%s' cannot be a module: a name is a letter and at most %d letters, "
			     "digits or _ behind it",
			     name, IPMASQ_OWNER_SIZE - 2);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s" SUFFIX, directory(), name);
	if (access(path, F_OK) < 0) {
		ipmasq_usage(error, "there is no module '%s' in %s; `ipmasqadm -h` lists them",
			     name, directory());
		return NULL;
	}
	plugin = ipmasq_open_object(directory(), name, "ipmasq_plugin", error);
	if (!plugin)
		return NULL;
	if (plugin->abi != IPMASQ_PLUGIN_ABI) {
		ipmasq_fail(error, ELIBBAD,
			    "module '%s' was built for plugin ABI %u, this ipmasqadm has %u: "
			    "rebuild it",
			    name, plugin->abi, IPMASQ_PLUGIN_ABI);
		return NULL;
	}
	if (!plugin->name || strcmp(plugin->name, name) != 0) {
		ipmasq_fail(error, ELIBBAD, "module '%s' says that its name is '%s'", name,
			    plugin->name ? plugin->name : "");
		return NULL;
	}
	return plugin;
}

const struct ipmasq_plugin *ipmasq_plugin_load(const char *name, struct ipmasq_error *error)
{
	const struct ipmasq_plugin *plugin;
	size_t n = 0;

	for (; n < PLUGINS_MAX && loaded[n]; n++)
		if (strcmp(loaded[n]->name, name) == 0)
			return loaded[n];
	plugin = load_plugin(name, error);
	if (plugin && n < PLUGINS_MAX)
		loaded[n] = plugin;
	return plugin;
}

static int is_module(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return length > suffix && strcmp(entry->d_name + length - suffix, SUFFIX) == 0;
}

int ipmasq_plugin_names(ipmasq_line_visit visit, void *data, struct ipmasq_error *error)
{
	struct dirent **list;
	int n = scandir(directory(), &list, is_module, alphasort);
	int rc = 0;

	if (n < 0)
		return ipmasq_fail(error, errno, "cannot read the plugin directory %s: %s",
				   directory(), strerror(errno));
	for (int i = 0; i < n; i++) {
		list[i]->d_name[strlen(list[i]->d_name) - strlen(SUFFIX)] = '\0';
		if (!rc && plain_name(list[i]->d_name))
			rc = visit(list[i]->d_name, data);
		free(list[i]);
	}
	free(list);
	return rc;
}

void ipmasq_plugin_usage(const struct ipmasq_plugin *plugin, FILE *out)
{
	const char *line = plugin->synopsis;

	fprintf(out, "%s: %s\n\n", plugin->name, plugin->summary);
	while (*line) {
		size_t length = strcspn(line, "\n");

		fprintf(out, "  ipmasqadm %s %.*s\n", plugin->name, (int)length, line);
		line += length + (line[length] == '\n');
	}
	fputc('\n', out);
	for (const struct ipmasq_option *option = plugin->options; option->letter; option++) {
		char words[64];

		snprintf(words, sizeof(words), "-%c%s%.1s %s", option->letter,
			 option->same_as ? ", -" : "", &option->same_as,
			 option->words ? option->words : "");
		fprintf(out, "  %-22s %s\n", words, option->help);
	}
	fputs("  -n                     numeric: look no name up, neither for input nor for "
	      "output\n"
	      "  -v                     verbose\n"
	      "  -h                     this help\n"
	      "  --json                 list as JSON\n"
	      "  --dry-run              show what would change, change nothing\n"
	      "  --kill                 end the TCP connections of what is removed, too\n",
	      out);
}
