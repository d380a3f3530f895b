/* mmq stat FILE: what is in the queue, in constant time but for the age. Takes no lock. */
#include "mmq.h"
#include "out.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char doc[] =
    "Print the numbers of items by state, their bytes, the file's capacity, the age of the oldest item in "
    "seconds, and totals: pushed = popped + items.";

struct stat_line {
	const char *name;
	uint64_t value;
};

/* Seconds since the oldest ready item was pushed; 0 for an empty queue, or a clock that was set back. */
static double
oldest_age(struct queue *q, const struct q_snapshot *snap)
{
	struct timespec now;
	struct q_item item;
	uint64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (unsigned i = 0; i < snap->n; i++)
		for (uint64_t at = snap->ready[i].from; at < snap->ready[i].to; at = item.end) {
			if (q_record(q, &snap->s, at, snap->ready[i].to, &item))
				return 0;
			if (item.kind == Q_ITEM)
				return ms > q_item_time(&item) ? (double)(ms - q_item_time(&item)) / 1000 : 0;
		}
	return 0;
}

static int
print_json(const struct stat_line *lines, size_t n, double age)
{
	struct json_object *o = json_object_new_object();
	char text[32];
	int rc;

	if (!o)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		json_object_object_add(o, lines[i].name, json_object_new_uint64(lines[i].value));
	snprintf(text, sizeof(text), "%.1f", age);
	json_object_object_add(o, "oldest_age", json_object_new_double_s(age, text));
	rc = out_str(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return rc ? rc : out_write("\n", 1);
}

static int
print_text(const struct stat_line *lines, size_t n, double age)
{
	bool tty = isatty(STDOUT_FILENO);
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = tty ? out_printf("%-12s %15llu\n", lines[i].name, (unsigned long long)lines[i].value)
			 : out_printf("%s\t%llu\n", lines[i].name, (unsigned long long)lines[i].value);
	if (rc)
		return rc;
	return tty ? out_printf("%-12s %15.1f\n", "oldest_age", age) : out_printf("oldest_age\t%.1f\n", age);
}

int
cmd_stat(int argc, char **argv)
{
	struct mmq_look o;
	static struct q_snapshot snap;
	const struct q_state *s = &snap.s;
	struct queue q;
	int rc, status;

	mmq_parse_look(&o, argc, argv, doc);
	status = mmq_open(&q, o.file, false, false, &o.common);
	if (status)
		return status;
	rc = q_snapshot(&q, &snap);
	if (rc)
		return mmq_fail(&q, rc, "read", NULL);
	if (o.common.quiet)
		return 0;
	const struct stat_line lines[] = {
		{ "ready", s->ready },
		{ "leased", s->leased + s->taken },
		{ "delayed", s->delayed },
		{ "items", q_items(s) },
		{ "bytes", s->bytes },
		{ "capacity", s->capacity },
		{ "pushed", s->pushed },
		{ "popped", s->pushed - q_items(s) },
		{ "lost", s->lost },
		{ "max_items", s->max_items },
		{ "max_bytes", s->max_bytes },
	};
	rc = (o.common.json ? print_json : print_text)(lines, sizeof(lines) / sizeof(lines[0]), oldest_age(&q, &snap));
	return cli_stdout(rc, NULL);
}
