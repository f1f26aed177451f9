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

static void say_no_forward(struct doctor *doctor, const struct question *question,
			   const struct gathered *gathered)
{
	char address[IPMASQ_ADDRESS_TEXT], mend[160];
	const char *other =
		gathered->other_protocol ? ipmasq_protocol_name(gathered->other_protocol) : NULL;

	ipmasq_address_text(&question->alias, address);
	snprintf(mend, sizeof(mend), "ipmasqadm portfw -A -P %s -L %s %u -R HOST PORT",
		 question->protocol ? ipmasq_protocol_name(question->protocol) : "tcp", address,
		 question->port);
	doctor_say(doctor, DOCTOR_FAIL, "rule", NULL, mend,
		   "there is no forward of %s%s%s port %u%s%s%s",
		   question->protocol ? ipmasq_protocol_name(question->protocol) : "",
		   question->protocol ? " " : "", address, question->port,
		   other ? ", only one of " : "", other ? other : "",
		   !other && gathered->other_address ? ", only of another address" : "");
}

static void check_helpers(struct doctor *doctor, const struct gathered *gathered)
{
	char mend[64];

	for (size_t i = 0; i < doctor->n_forwards; i++)
		for (size_t h = 0; helped[h].helper; h++) {
			const struct forward *forward = &doctor->forwards[i];

			if (forward->protocol != helped[h].protocol ||
			    forward->inside_port != helped[h].port || gathered->helpers[h])
				continue;
			snprintf(mend, sizeof(mend), "ipmasqadm helper -A %s", helped[h].helper);
			doctor_say(doctor, DOCTOR_WARN, "helper", forward, mend,
				   "%s names addresses and ports in what it says, and no helper "
				   "translates them",
				   helped[h].helper);
		}
}

static int examine(struct doctor *doctor, const struct question *question)
{
	struct ipmasq_error *error = &doctor->context->error;
	struct gathered gathered = {0};

	if (gather_forwards(doctor, question, &gathered) < 0)
		return -1;
	if (net_read(&doctor->net) < 0)
		return ipmasq_fail(error, errno, "cannot read links and addresses: %s",
				   strerror(errno));
	if (doctor->n_forwards == 0 && question->named)
		say_no_forward(doctor, question, &gathered);
	for (size_t i = 0; i < doctor->n_forwards; i++)
		forward_check(doctor, &doctor->forwards[i]);
	if (machine_check(doctor) < 0 || ruleset_check(doctor) < 0)
		return -1;
	if (flows_count(doctor->forwards, doctor->n_forwards) < 0)
		doctor_say(doctor, DOCTOR_WARN, "conntrack", NULL, NULL,
			   "the connections cannot be read: %s", strerror(errno));
	probe_check(doctor);
	check_helpers(doctor, &gathered);
	return doctor_print(doctor);
}

static int body(struct ipmasq_context *context, void *data)
{
	struct doctor doctor = {.context = context};
	struct question *question = data;
	int rc = examine(&doctor, question);
	bool fault = doctor_found_fault(&doctor.report);

	free(doctor.report.list);
	free(doctor.forwards);
	net_free(&doctor.net);
	if (rc < 0)
		return (int)context->error.status;
	question->fault = fault;
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
