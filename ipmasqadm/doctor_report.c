// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Findings: each is kept once, however many forwards it concerns, and printed in the order in
 * which the checks were made.  What is in order is shown with -v and as JSON only; if all is, one
 * line says so.
 */
#include "doctor.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdicts[] = {"ok", "warn", "FAIL"};

static struct finding *find(struct report *report, const struct finding *finding)
{
	for (size_t i = 0; i < report->n; i++) {
		struct finding *other = &report->list[i];

		if (other->verdict == finding->verdict &&
		    strcmp(other->check, finding->check) == 0 &&
		    strcmp(other->text, finding->text) == 0 &&
		    strcmp(other->mend, finding->mend) == 0)
			return other;
	}
	return NULL;
}

/* Names are other people's: nothing of them shall move a terminal's cursor. */
static void print_safe(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void doctor_say(struct doctor *doctor, enum verdict verdict, const char *check,
		const struct forward *forward, const char *mend, const char *format, ...)
{
	struct report *report = &doctor->report;
	struct finding finding = {.verdict = verdict}, *list, *other;
	va_list args;

	snprintf(finding.check, sizeof(finding.check), "%s", check);
	snprintf(finding.about, sizeof(finding.about), "%s", forward ? forward->name : "");
	snprintf(finding.mend, sizeof(finding.mend), "%s", mend ? mend : "");
	va_start(args, format);
	vsnprintf(finding.text, sizeof(finding.text), format, args);
	va_end(args);
	print_safe(finding.text);
	print_safe(finding.mend);
	other = find(report, &finding);
	if (other) {
		if (forward && strcmp(other->about, finding.about) != 0)
			other->more++;
		return;
	}
	list = reallocarray(report->list, report->n + 1, sizeof(*list));
	if (!list) {
		report->full = true;
		return;
	}
	report->list = list;
	list[report->n++] = finding;
}

bool doctor_found_fault(const struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->list[i].verdict == DOCTOR_FAIL)
			return true;
	return false;
}

static bool all_is_well(const struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->list[i].verdict != DOCTOR_OK)
			return false;
	return true;
}

static int print_json(struct doctor *doctor)
{
	static const struct ipmasq_column columns[] = {
		{"verdict", false}, {"check", false}, {"forward", false},
		{"text", false},    {"mend", false},
	};
	struct ipmasq_error *error = &doctor->context->error;
	struct ipmasq_listing *listing = ipmasq_listing_open(doctor->context, "doctor", columns,
							     sizeof(columns) / sizeof(columns[0]));

	if (!listing)
		return -1;
	for (size_t i = 0; i < doctor->report.n; i++) {
		const struct finding *finding = &doctor->report.list[i];
		const char *cells[] = {verdicts[finding->verdict], finding->check, finding->about,
				       finding->text, finding->mend};

		if (ipmasq_listing_row(listing, cells, error) < 0) {
			ipmasq_listing_drop(listing);
			return -1;
		}
	}
	return ipmasq_listing_print(listing, error);
}

static void print_finding(FILE *out, const struct finding *finding)
{
	fprintf(out, "%-4s %s: ", verdicts[finding->verdict], finding->check);
	if (finding->about[0])
		fprintf(out, "%s: ", finding->about);
	fputs(finding->text, out);
	if (finding->more)
		fprintf(out, " (and so for %u more)", finding->more);
	if (finding->mend[0])
		fprintf(out, "; mend: %s", finding->mend);
	fputc('\n', out);
}

int doctor_print(struct doctor *doctor)
{
	const struct ipmasq_context *context = doctor->context;

	if (doctor->report.full)
		return ipmasq_fail(&doctor->context->error, ENOMEM, "out of memory");
	if (context->json)
		return print_json(doctor);
	for (size_t i = 0; i < doctor->report.n; i++)
		if (context->verbose || doctor->report.list[i].verdict != DOCTOR_OK)
			print_finding(context->out, &doctor->report.list[i]);
	if (!all_is_well(&doctor->report))
		return 0;
	fprintf(context->out, "all is well with %zu forward%s", doctor->n_forwards,
		doctor->n_forwards == 1 ? "" : "s");
	if (doctor->n_forwards < doctor->n_all)
		fprintf(context->out, " of %zu; name another to have it looked at", doctor->n_all);
	fputc('\n', context->out);
	return 0;
}
