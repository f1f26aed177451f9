// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The option scanner of all plugins: argv and a table of letters in, values by letter out.
 *
 * Words are taken from left to right.  A word that begins with `-` and a letter of the table
 * is an option word; what follows the letter in the same word is its first value, or, when the
 * letter takes none, more letters.  Whatever is left over is an error that names it.
 */
#include <ctype.h>
#include <ipmasq/plugin.h>
#include <string.h>

#define BUNDLE_FLAGS "hnv" /* letters that every plugin knows */

struct scan {
	struct ipmasq_context *context;
	const struct ipmasq_option *options;
	struct ipmasq_words *words;
	char **argv;
	int argc, next; /* the next word to take */
	int joined;     /* the word behind an address and port in one, or 0 */
};

static const struct {
	const char *word;
	size_t offset;
} long_options[] = {
	{"--json", offsetof(struct ipmasq_context, json)},
	{"--dry-run", offsetof(struct ipmasq_context, dry_run)},
	{"--kill", offsetof(struct ipmasq_context, kill)},
	{"--help", offsetof(struct ipmasq_context, help)},
	{"--numeric", offsetof(struct ipmasq_context, numeric)},
	{"--verbose", offsetof(struct ipmasq_context, verbose)},
};

bool ipmasq_words_flag(struct ipmasq_context *context, const char *word)
{
	for (size_t i = 0; i < sizeof(long_options) / sizeof(long_options[0]); i++) {
		if (strcmp(word, long_options[i].word) == 0) {
			*(bool *)(void *)((char *)context + long_options[i].offset) = true;
			return true;
		}
	}
	return false;
}

static const struct ipmasq_option *find(const struct ipmasq_option *options, char letter)
{
	for (; options->letter; options++)
		if (options->letter == letter || options->same_as == letter)
			return options;
	return NULL;
}

/* The option with this long spelling. */
static const struct ipmasq_option *find_long(const struct ipmasq_option *options, const char *word)
{
	for (; options->letter; options++)
		if (!options->n_words && options->words && strcmp(options->words, word) == 0)
			return options;
	return NULL;
}

/* Whether `word` is an option and not a value: a dash and something that is no number. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

static const char *next_value(struct scan *scan)
{
	if (scan->next >= scan->argc || is_option(scan->argv[scan->next]))
		return NULL;
	return scan->argv[scan->next++];
}

/* Whether one word holds an address and a port. */
static bool is_joined(const char *word)
{
	const char *colon = strchr(word, ':');

	if (word[0] == '[')
		return strstr(word, "]:") || strstr(word, "]/");
	return strchr(word, '/') || (colon && !strchr(colon + 1, ':'));
}

/* `hint`: why the letter is one, where it need not be. */
static int set_command(struct scan *scan, char letter, const char *hint)
{
	if (scan->words->command)
		return ipmasq_usage(&scan->context->error,
				    "multiple commands specified: -%c and -%c%s",
				    scan->words->command, letter, hint);
	scan->words->command = letter;
	return 0;
}

/* Names the words that may not be left out, and the last one that is there. */
static int too_few(const struct scan *scan, const struct ipmasq_option *option, const char *last)
{
	const char *open = option->flags & IPMASQ_LAST_OPEN ? strrchr(option->words, ' ') : NULL;
	size_t length = open ? (size_t)(open - option->words) : strlen(option->words);

	return ipmasq_usage(&scan->context->error, "-%c needs %.*s%s%s", option->letter,
			    (int)length, option->words, last ? ": nothing follows " : "",
			    last ? last : "");
}

static int take_values(struct scan *scan, const struct ipmasq_option *option, const char *glued)
{
	const char **value = scan->words->value[(unsigned char)option->letter];
	unsigned int n = 0;

	if (scan->words->given[(unsigned char)option->letter])
		return ipmasq_usage(&scan->context->error, "-%c is given twice", option->letter);
	while (n < option->n_words) {
		const char *word = n == 0 && glued ? glued : next_value(scan);

		if (!word)
			break;
		value[n++] = word;
		if (n == 1 && (option->flags & IPMASQ_PAIR) && is_joined(word)) {
			n = option->n_words;
			scan->joined = scan->next;
		}
	}
	if (n == 0 && (option->flags & IPMASQ_OR_COMMAND))
		return set_command(scan, option->letter, ", which no word follows");
	if (n + !!(option->flags & IPMASQ_LAST_OPEN) < option->n_words)
		return too_few(scan, option, n ? value[n - 1] : NULL);
	scan->words->given[(unsigned char)option->letter] = true;
	return option->flags & IPMASQ_COMMAND ? set_command(scan, option->letter, "") : 0;
}

/* True when all that is left of a bundle are letters without values. */
static bool rest_is_bundle(const char *rest)
{
	return *rest && rest[strspn(rest, BUNDLE_FLAGS)] == '\0';
}

/* Names the letter where the word has others, too. */
static int no_option(const struct scan *scan, const char *word, char letter)
{
	struct ipmasq_error *error = &scan->context->error;
	const char *module = scan->argv[0];

	if (letter && isascii(letter) && word[2])
		return ipmasq_usage(error, "there is no option '-%c' in '%s'; %s -h lists them",
				    letter, word, module);
	return ipmasq_usage(error, "there is no option '%s'; %s -h lists them", word, module);
}

static int surplus(const struct scan *scan)
{
	struct ipmasq_error *error = &scan->context->error;
	const char *word = scan->argv[scan->next - 1];

	if (scan->joined == scan->next - 1)
		return ipmasq_usage(error, "'%s' has a port already, '%s' is one word too many",
				    scan->argv[scan->joined - 1], word);
	return ipmasq_usage(error, "'%s' is one word too many; %s -h shows what there may be", word,
			    scan->argv[0]);
}

static int scan_letters(struct scan *scan, const char *word)
{
	struct ipmasq_context *context = scan->context;

	for (const char *letter = word + 1; *letter; letter++) {
		const struct ipmasq_option *option = find(scan->options, *letter);
		const char *rest = letter[1] ? letter + 1 : NULL;

		if (option && (option->flags & IPMASQ_OR_COMMAND) && rest && rest_is_bundle(rest)) {
			if (set_command(scan, option->letter, "") < 0)
				return -1;
		} else if (option && option->n_words) {
			return take_values(scan, option, rest);
		} else if (option && (option->flags & IPMASQ_COMMAND)) {
			if (set_command(scan, option->letter, "") < 0)
				return -1;
		} else if (option) {
			scan->words->given[(unsigned char)option->letter] = true;
		} else if (*letter == 'h') {
			context->help = true;
		} else if (*letter == 'n') {
			context->numeric = true;
		} else if (*letter == 'v') {
			context->verbose = true;
		} else {
			return no_option(scan, word, *letter);
		}
	}
	return 0;
}

int ipmasq_words_scan(struct ipmasq_context *context, const struct ipmasq_option *options, int argc,
		      char **argv, struct ipmasq_words *words)
{
	struct scan scan = {context, options, words, argv, argc, 1, 0};

	memset(words, 0, sizeof(*words));
	while (scan.next < argc) {
		const char *word = argv[scan.next++];
		const struct ipmasq_option *spelled = find_long(options, word);

		if (ipmasq_words_flag(context, word))
			continue;
		if (spelled) {
			words->given[(unsigned char)spelled->letter] = true;
			continue;
		}
		if (strncmp(word, "--", 2) == 0)
			return no_option(&scan, word, '\0');
		if (!is_option(word))
			return surplus(&scan);
		if (scan_letters(&scan, word) < 0)
			return -1;
	}
	return 0;
}

int ipmasq_words_check(struct ipmasq_context *context, const struct ipmasq_words *words,
		       const char *allowed)
{
	for (int letter = 1; letter < 128; letter++)
		if (words->given[letter] && !strchr(allowed, letter))
			return ipmasq_usage(&context->error, "-%c does not go with -%c", letter,
					    words->command);
	return 0;
}

int ipmasq_words_pair(struct ipmasq_context *context, const struct ipmasq_words *words, char letter,
		      uint8_t family, uint8_t protocol, bool zero_is_any,
		      struct ipmasq_address *address, uint16_t *port)
{
	const char *const *value = words->value[(unsigned char)letter];
	const char *address_word, *port_word;
	char buffer[256];

	if (!value[0])
		return ipmasq_usage(&context->error, "-%c with an address and a port is needed",
				    letter);
	if (ipmasq_split_address_port(value[0], buffer, sizeof(buffer), &address_word, &port_word,
				      &context->error) < 0)
		return -1;
	if (value[1])
		port_word = value[1];
	if (ipmasq_parse_address(address, address_word, family, context->numeric, &context->error) <
	    0)
		return -1;
	if (!port_word) {
		*port = 0;
		return zero_is_any
			       ? 0
			       : ipmasq_usage(&context->error,
					      "'%s': a port is needed after the address", value[0]);
	}
	return ipmasq_parse_port(port, port_word, protocol, context->numeric, zero_is_any,
				 &context->error);
}
