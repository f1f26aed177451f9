// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One table has the options: it feeds getopt_long(3) and the help.  Every value is checked to its
 * last character, and a wrong one is named.
 */
#include "options.h"
#include "log.h"

#include <getopt.h>
#include <ipmasq/address.h>
#include <ipmasq/error.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_MAX   65535u
#define WORKERS_MAX 64u

enum long_only { FAIL_OPEN = 256, PUNCH, STATE, PID_FILE };

static const struct {
	int letter; /* what getopt_long() returns; above 255 there is none */
	const char *word, *value, *help;
} table[] = {
	{'i', "interface", "IFACE", "the outside interface; needed"},
	{'r', "rules", "RULES", "the rules file (" RULES_FILE ")"},
	{'s', "socket", "SOCKET", "where ipmasqadm -e reaches it (" CONTROL_SOCKET ")"},
	{'f', "foreground", NULL, "stay in the foreground, messages to standard error"},
	{'t', "tun", "TUN", "translate what is routed to this TUN device, not by NFQUEUE"},
	{'q', "queue", "N", "the first of the NFQUEUE numbers (0)"},
	{'w', "workers", "N", "threads that translate (1)"},
	{'u', "user", "USER", "who to be when all is open (ipmasqd, or nobody)"},
	{FAIL_OPEN, "fail-open", NULL, "packets pass untranslated while ipmasqd is gone"},
	{PUNCH, "punch", "MARK", "mark what helpers await, for the firewall to let it through"},
	{STATE, "state", "FILE", "save the links there at the end, and take them up at the start"},
	{PID_FILE, "pid-file", "FILE", "write the process's number there"},
	{'h', "help", NULL, "this help"},
	{'V', "version", NULL, "the version"},
};

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))

static void usage(FILE *out)
{
	fputs("usage: ipmasqd -i IFACE [options]\n\n", out);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char letter[] = "-x, ", words[40];

		letter[1] = (char)table[i].letter;
		snprintf(words, sizeof(words), "%s--%s %s", table[i].letter < 256 ? letter : "    ",
			 table[i].word, table[i].value ? table[i].value : "");
		fprintf(out, "  %-24s %s\n", words, table[i].help);
	}
}

/* The table as getopt_long() wants it. */
static void make_getopt(struct option words[static N_OPTIONS + 1], char letters[static 64])
{
	*letters++ = ':';
	for (size_t i = 0; i < N_OPTIONS; i++) {
		words[i] = (struct option){table[i].word,
					   table[i].value ? required_argument : no_argument, NULL,
					   table[i].letter};
		if (table[i].letter > 255)
			continue;
		*letters++ = (char)table[i].letter;
		if (table[i].value)
			*letters++ = ':';
	}
	words[N_OPTIONS] = (struct option){0};
	*letters = '\0';
}

static int parse_number(unsigned int *number, const char *word, const char *what, unsigned int low,
			unsigned int high, struct ipmasq_error *error)
{
	uint32_t value;

	if (ipmasq_parse_number(&value, word, what, low, high, error) < 0)
		return -1;
	*number = value;
	return 0;
}

static int parse_interface(const char **interface, const char *word, struct ipmasq_error *error)
{
	*interface = word;
	return ipmasq_check_interface(word, error);
}

/* The kernel would put a number in the place of `%d`. */
static int parse_tun(const char **tun, const char *word, struct ipmasq_error *error)
{
	if (strchr(word, '%'))
		return ipmasq_usage(error, "'%.64s' cannot be a TUN device: give a name without %%",
				    word);
	return parse_interface(tun, word, error);
}

/* Puts one option into `options`. */
static int take(struct options *options, int letter, const char *value, struct ipmasq_error *error)
{
	switch (letter) {
	case 'i':
		return parse_interface(&options->interface, value, error);
	case 't':
		return parse_tun(&options->tun, value, error);
	case 'q':
		return parse_number(&options->queue, value, "queue number", 0, QUEUE_MAX, error);
	case 'w':
		return parse_number(&options->workers, value, "number of workers", 1, WORKERS_MAX,
				    error);
	case 'r':
		options->rules = value;
		break;
	case 's':
		options->socket = value;
		break;
	case 'u':
		options->user = value;
		break;
	case 'f':
		options->foreground = true;
		break;
	case FAIL_OPEN:
		options->fail_open = true;
		break;
	case PUNCH:
		return parse_number(&options->punch, value, "mark", 1, UINT32_MAX, error);
	case STATE:
		options->state = value;
		break;
	case PID_FILE:
		options->pid = value;
		break;
	}
	return 0;
}

static int check(const struct options *options, int argc, char **argv, struct ipmasq_error *error)
{
	if (optind < argc)
		return ipmasq_usage(error, "'%.64s' is one word too many", argv[optind]);
	if (!options->interface)
		return ipmasq_usage(error, "-i is needed: the outside interface");
	if (!options->tun && options->queue + 2 * options->workers > QUEUE_MAX + 1)
		return ipmasq_usage(error,
				    "-q %u: there is no room for %u queues up to %u; give less",
				    options->queue, 2 * options->workers, QUEUE_MAX);
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, int *status)
{
	struct option words[N_OPTIONS + 1];
	struct ipmasq_error error;
	char letters[64];
	int letter, rc = 0;

	*options = (struct options){.socket = CONTROL_SOCKET, .workers = 1};
	make_getopt(words, letters);
	*status = IPMASQ_OK;
	while (rc == 0 && (letter = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (letter == 'h') {
			usage(stdout);
			return -1;
		}
		if (letter == 'V') {
			puts("ipmasqd " PACKAGE_VERSION);
			return -1;
		}
		if (letter == ':')
			rc = ipmasq_usage(&error, "%.64s needs a value", argv[optind - 1]);
		else if (letter == '?')
			rc = ipmasq_usage(&error, "there is no option '%.64s'", argv[optind - 1]);
		else
			rc = take(options, letter, optarg, &error);
	}
	if (rc == 0 && check(options, argc, argv, &error) == 0)
		return 0;
	log_message(LOG_ERR, "%s; ipmasqd -h lists the options", error.text);
	*status = IPMASQ_USAGE;
	return -1;
}
