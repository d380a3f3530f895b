/* summary: what the file is, how full, how healthy. Of files that are no heaps: what they are. */
#include "inspect.h"
#include "kind.h"
#include "out.h"

#include <string.h>
#include <time.h>

struct summary {
	struct cli_common common;
	const char *file;
	uint64_t used, used_n, free, free_n, largest, unclaimed, overhead;
	uint64_t damage;         /* places found by the check */
	struct view_damage first;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct summary *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "unknown verb '%s', or more than one FILE", o->file);
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "FILE is required");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
static const struct argp argp = {
	NULL, parse, "FILE",
	"Kind, size, used and free bytes, objects, largest free block, fragmentation, health.\v"
	"Also tells what a file is that is no heap: a counter file, a queue, an undo file, and emmap's files. "
	"A damaged heap is described as far as it can be read, and the exit code is 65.",
	children, NULL, NULL,
};

static int
count_block(void *arg, const struct view_block *b)
{
	struct summary *o = arg;

	if (b->used) {
		o->used += b->size;
		o->used_n++;
	} else {
		o->free += b->size;
		o->free_n++;
		if (b->size > o->largest)
			o->largest = b->size;
	}
	return 0;
}

static int
count_damage(void *arg, const struct view_damage *d)
{
	struct summary *o = arg;

	if (!o->damage++)
		o->first = *d;
	return 0;
}

/* 0: all free space is one block; near 1: it is dust. */
static double
fragmentation(const struct summary *o)
{
	return o->free ? 1.0 - (double)o->largest / (double)o->free : 0.0;
}

static int
print_json(const struct summary *o, const struct inspect *in)
{
	json_object *obj = json_object_new_object();

	json_object_object_add(obj, "kind", json_object_new_string(in->view.ops->kind));
	inspect_put_u64(obj, "file_size", in->map.size);
	inspect_put_u64(obj, "used_bytes", o->used);
	inspect_put_u64(obj, "free_bytes", o->free);
	inspect_put_u64(obj, "overhead_bytes", o->overhead);
	inspect_put_u64(obj, "unclaimed_bytes", o->unclaimed);
	inspect_put_u64(obj, "used_objects", o->used_n);
	inspect_put_u64(obj, "free_objects", o->free_n);
	inspect_put_u64(obj, "largest_free", o->largest);
	json_object_object_add(obj, "fragmentation", json_object_new_double(fragmentation(o)));
	json_object_object_add(obj, "healthy", json_object_new_boolean(!o->damage));
	inspect_put_u64(obj, "damages", o->damage);
	return inspect_json(obj);
}

/* A line of the table: aligned for people, a tab for programs. */
static int
line(unsigned width, const char *name, const char *value)
{
	return width ? out_printf("%-14s %s\n", name, value) : out_printf("%s\t%s\n", name, value);
}

static int
size_line(unsigned width, const char *name, uint64_t bytes, uint64_t objects)
{
	char text[64], size[16];

	if (!width)
		return out_printf("%s\t%llu\n", name, (unsigned long long)bytes);
	inspect_size(size, bytes);
	if (objects == UINT64_MAX)
		snprintf(text, sizeof(text), "%12llu %6s", (unsigned long long)bytes, size);
	else
		snprintf(text, sizeof(text), "%12llu %6s  in %llu", (unsigned long long)bytes, size,
		    (unsigned long long)objects);
	return line(width, name, text);
}

/* Cells of a bar for a part of the file; nothing that is there is drawn as nothing. */
static unsigned
share(uint64_t part, uint64_t file_size, unsigned cells)
{
	unsigned n = (unsigned)((double)part / (double)file_size * cells + 0.5);

	return part && !n ? 1 : n < cells ? n : cells;
}

/* As wide as the terminal, at most 100 cells; what rounding leaves over goes to the heap's own. */
static int
bar(const struct summary *o, uint64_t file_size, unsigned width)
{
	unsigned cells = width < 34 ? 10 : width > 120 ? 100 : width - 18;
	unsigned used = share(o->used, file_size, cells), free = share(o->free, file_size, cells);
	unsigned own = share(o->overhead, file_size, cells);
	char text[128];

	memset(text, ' ', sizeof(text));
	if (used + own > cells)
		own = cells - used;
	if (used + own + free > cells)
		free = cells - used - own;
	memset(text, '#', used);
	memset(text + used, '-', own);
	memset(text + used + own, '.', free);
	if (!o->unclaimed)
		memset(text + used + own + free, '-', cells - used - own - free);
	text[cells] = '\0';
	return out_printf("%-14s [%s]\n%-14s  # used  - overhead  . free%s\n", "", text, "",
	    o->unclaimed ? "  (blank) unclaimed" : "");
}

static int
print_text(const struct summary *o, const struct inspect *in, unsigned width)
{
	char text[256], layout[128], health[256] = "no damage found";
	int rc;

	in->view.ops->describe(&in->view, layout, sizeof(layout));
	snprintf(text, sizeof(text), "%s (%s)", in->view.ops->kind, layout);
	rc = line(width, "kind", text);
	if (!rc)
		rc = size_line(width, "file_size", in->map.size, UINT64_MAX);
	if (!rc)
		rc = size_line(width, "used", o->used, o->used_n);
	if (!rc)
		rc = size_line(width, "free", o->free, o->free_n);
	if (!rc)
		rc = size_line(width, "overhead", o->overhead, UINT64_MAX);
	if (!rc && o->unclaimed)
		rc = size_line(width, "unclaimed", o->unclaimed, UINT64_MAX);
	if (!rc && width)
		rc = bar(o, in->map.size, width);
	if (!rc && !width)
		rc = out_printf("used_objects\t%llu\nfree_objects\t%llu\n", (unsigned long long)o->used_n,
		    (unsigned long long)o->free_n);
	if (!rc)
		rc = size_line(width, "largest_free", o->largest, UINT64_MAX);
	snprintf(text, sizeof(text), width ? "%12.3f" : "%.3f", fragmentation(o));
	if (!rc)
		rc = line(width, "fragmentation", text);
	if (o->damage)
		snprintf(health, sizeof(health), "DAMAGED in %llu place%s, first at byte %llu: %s",
		    (unsigned long long)o->damage, o->damage == 1 ? "" : "s", (unsigned long long)o->first.offset,
		    o->first.text);
	return rc ? rc : line(width, "health", health);
}

static int
heap_summary(struct summary *o, struct inspect *in)
{
	struct err_at at = { 0 };
	int rc = view_check(&in->view, count_damage, o), status;

	if (!rc || rc == -ERR_DAMAGED)
		rc = view_walk(&in->view, count_block, o, &at);
	if (rc && rc != -ERR_DAMAGED)
		return inspect_fail(in, rc, &at, "summary");
	o->unclaimed = in->view.ops->unclaimed(&in->view);
	o->overhead = o->used + o->free + o->unclaimed;
	o->overhead = in->map.size > o->overhead ? in->map.size - o->overhead : 0;
	/* A tear that came after the check has no line of its own. */
	if (rc && !o->damage)
		count_damage(o, &(struct view_damage){ .offset = at.offset, .text = at.what, .code = "chain" });
	status = cli_stdout(o->common.json ? print_json(o, in) : print_text(o, in, inspect_width()), NULL);
	if (!status && o->damage) {
		cli_warn(o->file, "summary: damaged in %llu place%s, first at byte %llu: %s; nothing was written; "
		    "see 'mmalloc-inspect check'", (unsigned long long)o->damage, o->damage == 1 ? "" : "s",
		    (unsigned long long)o->first.offset, o->first.text);
		status = EX_DATAERR;
	}
	return status;
}

static void
own_text(const struct hdr *h, char uuid[37], char created[32])
{
	time_t t = (time_t)(h->created / 1000000000);
	struct tm tm;

	for (unsigned i = 0, at = 0; i < 16; i++) {
		at += (unsigned)snprintf(uuid + at, 37 - at, "%02x", h->uuid[i]);
		if (i == 3 || i == 5 || i == 7 || i == 9)
			uuid[at++] = '-';
	}
	if (!gmtime_r(&t, &tm) || !strftime(created, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(created, "?");
}

static int
kind_json(const struct kind *k, uint64_t size)
{
	json_object *obj = json_object_new_object();
	char uuid[37], created[32];

	json_object_object_add(obj, "kind", json_object_new_string(k->name));
	inspect_put_u64(obj, "file_size", size);
	if (k->own) {
		own_text(&k->hdr, uuid, created);
		inspect_put_u64(obj, "version", k->hdr.version);
		json_object_object_add(obj, "uuid", json_object_new_string(uuid));
		json_object_object_add(obj, "created", json_object_new_string(created));
	} else
		inspect_put_u64(obj, k->items_name, k->items);
	return inspect_json(obj);
}

static int
kind_text(const struct kind *k, uint64_t size, unsigned width)
{
	char uuid[37], created[32];
	int rc = line(width, "kind", k->name);

	if (!rc)
		rc = size_line(width, "file_size", size, UINT64_MAX);
	if (rc || !k->own)
		return rc;
	own_text(&k->hdr, uuid, created);
	rc = size_line(width, "version", k->hdr.version, UINT64_MAX);
	if (!rc)
		rc = line(width, "uuid", uuid);
	return rc ? rc : line(width, "created", created);
}

static int
other_summary(const struct summary *o, const struct inspect *in)
{
	struct err_at at = { 0 };
	struct kind k;
	int rc = kind_of(&k, in->map.base, in->map.size, &at);

	if (rc == -ERR_KIND) {
		cli_warn(o->file, "summary: neither a file of this toolkit nor one of fmalloc or emmap");
		return EX_DATAERR;
	}
	if (rc)
		return cli_fail(o->file, rc, &at, "summary", NULL);
	return cli_stdout(o->common.json ? kind_json(&k, in->map.size) : kind_text(&k, in->map.size, inspect_width()), NULL);
}

int
cmd_summary(int argc, char **argv)
{
	struct summary o = { .common = CLI_COMMON };
	struct inspect in;
	int status;

	cli_parse(&argp, argc, argv, 0, &o);
	status = inspect_open(&in, o.file, true);
	if (!status)
		status = in.heap ? heap_summary(&o, &in) : other_summary(&o, &in);
	inspect_close(&in);
	return status;
}
