/*
 * mmcat [-o OFF] [-n LEN] FILE...: ranges of files on standard output.
 *
 * A file that cannot be read is reported and the next one is taken, as cat does; the exit code is that of the first
 * failure. Nothing more is read once the output has failed.
 */
#include "mmcat.h"
#include "cli.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct opts {
	struct mmcat cat;
	struct range one; /* of -o and -n */
	bool has_one;
	char **files;
	size_t n_files;
};

enum { KEY_EXACT = 0x200, KEY_RAW };

static const struct argp_option options[] = {
	{ "offset", 'o', "OFF", 0, "Start at byte OFF; negative: from the end", 1 },
	{ "length", 'n', "LEN", 0, "At most LEN bytes (default: up to the end)", 1 },
	{ "range", 'r', "OFF:LEN", 0, "A range; may be given again", 1 },
	{ "exact", KEY_EXACT, NULL, 0, "Fewer than LEN bytes available is an error (65)", 2 },
	{ "hex", 'x', NULL, 0, "Hex and text, as hexdump -C", 3 },
	{ "raw", KEY_RAW, NULL, 0, "The bytes themselves, also binary ones to a terminal", 3 },
	{ 0 },
};

static void
add_range(struct opts *o, struct argp_state *state, const char *arg)
{
	struct range *grown = realloc(o->cat.ranges, (o->cat.n_ranges + 1) * sizeof(*grown));

	if (!grown)
		argp_failure(state, EX_TEMPFAIL, 0, "out of memory");
	o->cat.ranges = grown;
	grown += o->cat.n_ranges++;
	if (!strchr(arg, ':'))
		argp_error(state, "range '%s': OFF:LEN is wanted", arg);
	cli_check_number(state, num_range(arg, &grown->off, &grown->len), "range", arg);
}

static void
check(struct opts *o, struct argp_state *state)
{
	if (!o->n_files)
		argp_error(state, "a FILE is required");
	if (o->has_one && o->cat.n_ranges)
		argp_error(state, "--range cannot be used together with --offset and --length");
	if (o->cat.hex && o->cat.raw)
		argp_error(state, "--hex and --raw exclude each other");
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;

	switch (key) {
	case 'o':
		cli_check_number(state, num_offset(arg, &o->one.off), "offset", arg);
		o->has_one = true;
		return 0;
	case 'n':
		cli_check_number(state, num_size(arg, &o->one.len), "length", arg);
		o->has_one = true;
		return 0;
	case 'r':
		add_range(o, state, arg);
		return 0;
	case KEY_EXACT:
		o->cat.exact = true;
		return 0;
	case 'x':
		o->cat.hex = true;
		return 0;
	case KEY_RAW:
		o->cat.raw = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->n_files = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		check(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options, parse, "FILE...", "Write ranges of files to standard output.\v"
	"Numbers take the suffixes k M G T P (1024) and kB MB GB (1000), or are 0x hex. See mmcat(1).",
	NULL, NULL, NULL,
};

/* A file of /proc or /sys has bytes although its size is 0: what was asked for, until it ends. */
static struct span
resolve(const struct range *r, uint64_t size)
{
	if (!size && !r->off.from_end)
		return (struct span){ .off = r->off.n, .len = r->len, .cut = r->len != RANGE_REST && r->len };
	return range_in(r, size);
}

/* Has bytes, says that it has none, and nothing was written to it just now: a file of /proc. */
static bool
is_sizeless(const struct map *m)
{
	struct stat st;
	char byte;

	return !m->size && pread(m->fd, &byte, 1, 0) == 1 && !fstat(m->fd, &st) && !st.st_size;
}

static int
check_size(const struct mmcat *c, const struct map *m)
{
	bool needed = c->exact;

	for (size_t i = 0; i < c->n_ranges; i++)
		needed |= c->ranges[i].off.from_end;
	if (!needed || !is_sizeless(m))
		return 0;
	cli_warn(m->path, "read: the file does not tell its size; nothing of it was printed; "
	    "count from its beginning, without --exact");
	return EX_UNAVAILABLE;
}

/* Before the first byte is printed. */
static int
check_exact(const struct mmcat *c, const struct map *m)
{
	for (size_t i = 0; c->exact && i < c->n_ranges; i++) {
		struct span s = range_in(&c->ranges[i], m->size);

		if (s.cut) {
			cli_warn(m->path, "range at byte %s%llu: fewer bytes than asked for, the file has %llu; "
			    "nothing of it was printed", c->ranges[i].off.from_end ? "-" : "",
			    (unsigned long long)c->ranges[i].off.n, (unsigned long long)m->size);
			return EX_DATAERR;
		}
	}
	return 0;
}

static int
read_failed(const struct map *m, int rc, uint64_t at)
{
	char state[64];

	snprintf(state, sizeof(state), "printed up to byte %llu", (unsigned long long)at);
	return cli_fail(m->path, rc, &m->at, "read", state);
}

static int
print_span(struct mmcat *c, struct map *m, const struct span *s)
{
	uint64_t before = c->out.written;
	bool text = true;
	int rc = 0;

	if (c->terminal && !c->hex && !c->raw)
		rc = mmcat_is_text(m, s, &text);
	if (!rc && (c->hex || !text)) {
		rc = mmcat_hex(m, s);
		c->out.out_failed = out_flush(); /* reported when it is closed */
		return rc ? cli_fail(m->path, rc, &m->at, "read", NULL) : 0;
	}
	if (!rc)
		rc = copy_out_range(&c->out, m, s->off, s->len);
	if (rc && c->out.out_failed)
		return cli_fail(NULL, rc, NULL, "standard output", NULL), EX_IOERR;
	return rc ? read_failed(m, rc, s->off + c->out.written - before) : 0;
}

static int
print_file(struct mmcat *c, const char *path)
{
	struct map m;
	int rc = map_open(&m, path, 0), status;

	if (rc)
		return cli_fail(path, rc, NULL, "open", NULL);
	status = check_size(c, &m);
	if (!status)
		status = check_exact(c, &m);
	for (size_t i = 0; !status && i < c->n_ranges; i++) {
		struct span s = resolve(&c->ranges[i], m.size);

		status = print_span(c, &m, &s);
	}
	map_close(&m);
	return status;
}

static int
run(int argc, char **argv)
{
	struct opts o = { .one = { .len = RANGE_REST } };
	int status = 0, rc;

	cli_parse(&argp, argc, argv, 0, &o);
	if (!o.cat.n_ranges) {
		o.cat.ranges = &o.one;
		o.cat.n_ranges = 1;
	}
	o.cat.terminal = isatty(STDOUT_FILENO);
	copy_out_init(&o.cat.out, STDOUT_FILENO);
	for (size_t i = 0; i < o.n_files && !o.cat.out.out_failed; i++) {
		rc = print_file(&o.cat, o.files[i]);
		status = status ? status : rc;
	}
	rc = o.cat.out.out_failed ? 0 : copy_out_finish(&o.cat.out);
	if (rc)
		status = cli_stdout(rc, NULL);
	if (o.cat.ranges != &o.one)
		free(o.cat.ranges);
	return status;
}

int
main(int argc, char **argv)
{
	return cli_main_single("mmcat", run, argc, argv);
}
