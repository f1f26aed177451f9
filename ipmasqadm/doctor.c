// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/doctor.so, `ipmasqadm doctor`: why does my forward not work?
 *
 * The forward that is named, or as many as are looked at in a moment, are taken from the rules;
 * then come the checks of doctor.h in the order in which a packet meets what they look at.  Nothing
 * is changed: the kernel is asked, and each inside service once or twice.
 */
#include "doctor.h"
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORWARDS_MAX 64 /* looked at when none is named */

/* What was asked for; `named` false: everything. */
struct question {
	bool named;
	uint8_t protocol; /* 0: any */
	struct ipmasq_address alias;
	uint16_t port;
	bool fault; /* the answer: something is wrong */
};

struct gathering {
	struct doctor *doctor;
	const struct question *question;
	uint8_t other_protocol; /* of a forward of the same port, 0: there is none */
	bool other_address;
	bool helpers[8]; /* there are, as in helped[] */
};

/* Protocols that put addresses into what they say, and need a helper to be forwarded. */
static const struct {
	uint8_t protocol;
	uint16_t port;
	const char *helper;
} helped[] = {
	{IPPROTO_TCP, 21, "ftp"},    {IPPROTO_UDP, 69, "tftp"},  {IPPROTO_TCP, 1720, "h323"},
	{IPPROTO_TCP, 1723, "pptp"}, {IPPROTO_UDP, 5060, "sip"},
};

#define N_HELPED (sizeof(helped) / sizeof(helped[0]))

static bool wanted(struct gathering *gathering, const struct ipmasq_rule *rule)
{
	const struct question *question = gathering->question;
	const struct ipmasq_match *match = &rule->redirect.match;
	bool address;

	if (!question->named)
		return true;
	if (strcmp(rule->owner, "portfw") != 0 || match->ports.low != question->port ||
	    match->family != question->alias.family)
		return false;
	address = ipmasq_address_equal(&match->alias, &question->alias) ||
		  ipmasq_address_is_any(&match->alias);
	if (address && question->protocol && match->protocol != question->protocol)
		gathering->other_protocol = match->protocol;
	gathering->other_address |= !address;
	return address && (!question->protocol || match->protocol == question->protocol);
}

/* A forward of the very address has the connection before one of any address. */
static void drop_hidden(struct doctor *doctor)
{
	size_t n = 0;

	for (size_t i = 0; i < doctor->n_forwards; i++)
		for (size_t k = 0; k < doctor->n_forwards; k++)
			if (!doctor->forwards[k].of_any &&
			    doctor->forwards[k].protocol == doctor->forwards[i].protocol)
				doctor->forwards[i].hidden = doctor->forwards[i].of_any;
	for (size_t i = 0; i < doctor->n_forwards; i++)
		if (!doctor->forwards[i].hidden)
			doctor->forwards[n++] = doctor->forwards[i];
	doctor->n_forwards = doctor->n_all = n;
}

static int add_forward(struct doctor *doctor, const struct ipmasq_rule *rule,
		       const struct ipmasq_target *target, const struct ipmasq_address *alias)
{
	const struct ipmasq_match *match = &rule->redirect.match;
	struct forward *forwards, *forward;
	char text[IPMASQ_ADDRESS_TEXT], inside[IPMASQ_ADDRESS_TEXT];

	doctor->n_all++;
	if (doctor->n_forwards == FORWARDS_MAX)
		return 0;
	forwards = reallocarray(doctor->forwards, doctor->n_forwards + 1, sizeof(*forwards));
	if (!forwards)
		return ipmasq_fail(&doctor->context->error, ENOMEM, "out of memory");
	doctor->forwards = forwards;
	forward = &forwards[doctor->n_forwards++];
	*forward = (struct forward){
		.protocol = match->protocol,
		.alias = *alias,
		.inside = target->address,
		.port = match->ports.low,
		.of_any = ipmasq_address_is_any(&match->alias),
		.inside_port = target->port ? target->port : match->ports.low,
	};
	snprintf(forward->name, sizeof(forward->name), "%s %s %u to %s %u",
		 ipmasq_protocol_name(match->protocol), ipmasq_address_text(alias, text),
		 forward->port, ipmasq_address_text(&forward->inside, inside),
		 forward->inside_port);
	return 0;
}

static void note_helper(struct gathering *gathering, const struct ipmasq_helper *helper)
{
	for (size_t i = 0; i < N_HELPED; i++)
		gathering->helpers[i] |= strcmp(helped[i].helper, helper->name) == 0;
}

static int gather(const struct ipmasq_rule *rule, void *data)
{
	struct gathering *gathering = data;
	const struct ipmasq_match *match = &rule->redirect.match;
	const struct question *question = gathering->question;

	if (rule->kind == IPMASQ_HELPER)
		note_helper(gathering, &rule->helper);
	if (rule->kind != IPMASQ_REDIRECT || match->mark || !match->ports.low ||
	    !ipmasq_protocol_name(match->protocol) || !wanted(gathering, rule))
		return 0;
	for (uint32_t i = 0; i < rule->redirect.n_targets; i++)
		if (add_forward(gathering->doctor, rule, &rule->redirect.targets[i],
				question->named ? &question->alias : &match->alias) < 0)
			return -1;
	return 0;
}

static void say_no_forward(const struct gathering *gathering)
{
	const struct question *question = gathering->question;
	char address[IPMASQ_ADDRESS_TEXT], mend[160];
	const char *other =
		gathering->other_protocol ? ipmasq_protocol_name(gathering->other_protocol) : NULL;

	ipmasq_address_text(&question->alias, address);
	snprintf(mend, sizeof(mend), "ipmasqadm portfw -A -P %s -L %s %u -R HOST PORT",
		 question->protocol ? ipmasq_protocol_name(question->protocol) : "tcp", address,
		 question->port);
	doctor_say(gathering->doctor, DOCTOR_FAIL, "rule", NULL, mend,
		   "there is no forward of %s%s%s port %u%s%s%s",
		   question->protocol ? ipmasq_protocol_name(question->protocol) : "",
		   question->protocol ? " " : "", address, question->port,
		   other ? ", only one of " : "", other ? other : "",
		   !other && gathering->other_address ? ", only of another address" : "");
}

static void check_helpers(const struct gathering *gathering)
{
	const struct doctor *doctor = gathering->doctor;
	char mend[64];

	for (size_t i = 0; i < doctor->n_forwards; i++)
		for (size_t h = 0; h < N_HELPED; h++) {
			const struct forward *forward = &doctor->forwards[i];

			if (forward->protocol != helped[h].protocol ||
			    forward->inside_port != helped[h].port || gathering->helpers[h])
				continue;
			snprintf(mend, sizeof(mend), "ipmasqadm helper -A %s", helped[h].helper);
			doctor_say(gathering->doctor, DOCTOR_WARN, "helper", forward, mend,
				   "%s names addresses and ports in what it says, and no helper "
				   "translates them",
				   helped[h].helper);
		}
}

static int examine(struct gathering *gathering)
{
	struct doctor *doctor = gathering->doctor;
	struct ipmasq_error *error = &doctor->context->error;

	if (ipmasq_table_walk(doctor->context->table, NULL, gather, gathering, error) < 0)
		return -1;
	if (net_read(&doctor->net) < 0)
		return ipmasq_fail(error, errno, "cannot read links and addresses: %s",
				   strerror(errno));
	if (gathering->question->named)
		drop_hidden(doctor);
	if (doctor->n_forwards == 0 && gathering->question->named)
		say_no_forward(gathering);
	for (size_t i = 0; i < doctor->n_forwards; i++)
		forward_check(doctor, &doctor->forwards[i]);
	if (machine_check(doctor) < 0 || ruleset_check(doctor) < 0)
		return -1;
	if (flows_count(doctor->forwards, doctor->n_forwards) < 0)
		doctor_say(doctor, DOCTOR_WARN, "conntrack", NULL, NULL,
			   "the connections cannot be read: %s", strerror(errno));
	probe_check(doctor);
	check_helpers(gathering);
	return doctor_print(doctor);
}

static int body(struct ipmasq_context *context, void *data)
{
	struct doctor doctor = {.context = context};
	struct gathering gathering = {.doctor = &doctor, .question = data};
	int rc = examine(&gathering);
	bool fault = doctor_found_fault(&doctor.report);

	free(doctor.report.list);
	free(doctor.forwards);
	net_free(&doctor.net);
	if (rc < 0)
		return (int)context->error.status;
	((struct question *)data)->fault = fault;
	return IPMASQ_OK;
}

static int parse_words(struct session *session, int argc, char **argv, struct question *question,
		       struct ipmasq_error *error)
{
	bool numeric = session->flags.numeric;
	const char *words[3] = {NULL}, *address, *port, *protocol = NULL;
	size_t n = 0;
	char buffer[256];

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-P", 2) == 0 && !protocol && (argv[i][2] || i + 1 < argc))
			protocol = argv[i][2] ? argv[i] + 2 : argv[++i];
		else if (n < 3 && argv[i][0] != '-')
			words[n++] = argv[i];
		else
			return command_wrong_word(session, argv[0], argv[i], error);
	}
	if (!n && !protocol)
		return 0;
	if (!n || strcmp(words[0], "portfw") != 0)
		return ipmasq_usage(error,
				    "'%s': the doctor looks at one forward of portfw, or, without "
				    "words, at all",
				    n ? words[0] : "-P");
	if (!words[1])
		return ipmasq_usage(error, "portfw needs LADDR and LPORT");
	if (protocol && ipmasq_parse_transport(&question->protocol, protocol, error) < 0)
		return -1;
	if (ipmasq_split_address_port(words[1], buffer, sizeof(buffer), &address, &port, error) < 0)
		return -1;
	if (port && words[2])
		return ipmasq_usage(error, "'%s' has a port already, '%s' is one word too many",
				    words[1], words[2]);
	if (!port && !words[2])
		return ipmasq_usage(error, "'%s': a port is needed after the address", words[1]);
	question->named = true;
	if (ipmasq_parse_address(&question->alias, address, AF_UNSPEC, numeric, error) < 0)
		return -1;
	return ipmasq_parse_port(&question->port, port ? port : words[2],
				 question->protocol ? question->protocol : IPPROTO_TCP, numeric,
				 false, error);
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	struct question question = {0};
	struct ipmasq_error error;
	enum ipmasq_status status;

	if (session->remote) {
		fputs("doctor: it looks at the kernel's forwards; how ipmasqd is, `status` says\n",
		      session->err);
		return IPMASQ_FAILED;
	}
	if (parse_words(session, argc, argv, &question, &error) < 0) {
		fprintf(session->err, "doctor: %s\n", error.text);
		return error.status;
	}
	status = session_transaction(session, "doctor", body, &question);
	return status == IPMASQ_OK && question.fault ? IPMASQ_FAILED : status;
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run};
