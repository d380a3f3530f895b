/*
 * mmwrite [-o OFF] FILE <data: standard input over a range of FILE, which is never cut and grows when needed.
 *
 * A new file appears under its name when it is complete. Crash states of an old one: any mixture of old and new
 * bytes within the range, and any size between the old and the new one.
 */
#include "mmwrite.h"
#include "map.h"
#include "seam.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TRIES 16

struct job {
	struct mmwrite w;
	int spare; /* what was drafted, should somebody else have created FILE meanwhile; -1 */
};

enum { KEY_FIXED_SIZE = 0x200 };

static const struct argp_option options[] = {
	{ "offset", 'o', "OFF", 0, "Write at byte OFF (default 0); negative: from the end", 1 },
	{ "append", 'a', NULL, 0, "Write at the end", 1 },
	{ "fixed-size", KEY_FIXED_SIZE, NULL, 0, "Do not let FILE grow: exit 75", 2 },
	{ 0 },
};

static const struct argp_child children[] = {
	{ &cli_create_argp, 0, NULL, 0 },
	{ &cli_store_argp, 0, NULL, 0 },
	{ 0 },
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct mmwrite *w = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->child_inputs[1] = &w->common;
		return 0;
	case 'o':
		cli_check_number(state, num_offset(arg, &w->offset), "offset", arg);
		w->has_offset = true;
		return 0;
	case 'a':
		w->append = true;
		return 0;
	case KEY_FIXED_SIZE:
		w->fixed_size = true;
		return 0;
	case ARGP_KEY_ARG:
		if (w->path)
			argp_error(state, "one FILE only; the data comes from standard input");
		w->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!w->path)
			argp_error(state, "a FILE is required");
		if (w->append && w->has_offset)
			argp_error(state, "--append and --offset exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options, parse, "FILE", "Write standard input over a range of FILE.\v"
	"FILE is created when it is missing, grows when needed and is never cut. See mmwrite(1).",
	children, NULL, NULL,
};

/* Network file systems report a full disk as late as here: whether the bytes are there is then unknown. */
static int
close_checked(struct map *m)
{
	int fd = m->fd, rc;

	m->fd = -1;
	rc = close(fd) && errno != EINTR ? -ERR_NOT_DURABLE : 0;
	map_close(m);
	return rc;
}

/* The input into m, and onto the disk when that was asked for. */
static int
store(struct mmwrite *w, struct map *m)
{
	int rc = w->common.sync ? map_can_sync(m) : 0;

	if (!rc)
		rc = mmwrite_input(w, m);
	if (!rc && w->common.sync)
		rc = SEAM("mmwrite-sync", map_sync(m), 0);
	return rc;
}

static int
fill(struct map *m, void *arg)
{
	struct job *j = arg;
	int rc = store(&j->w, m);

	if (!rc && (j->spare = fcntl(m->fd, F_DUPFD_CLOEXEC, 3)) < 0)
		rc = -errno;
	return rc;
}

/* Somebody else created FILE while the input went into a draft: the draft is the input now. */
static void
take_draft(struct job *j)
{
	j->w.in = (struct copy_in){ .fd = j->spare, .known = true, .fast = true };
	j->w.in.pos = j->w.off;
	j->w.in.len = j->w.pos - j->w.off;
}

static int
write_file(struct job *j, struct map *m)
{
	struct mmwrite *w = &j->w;
	int rc = -EEXIST;

	for (int i = 0; i < TRIES && rc == -EEXIST; i++) {
		rc = map_open(m, w->path, MAP_RW);
		w->draft = rc == -ENOENT && !w->common.no_create;
		if (w->draft)
			rc = map_create_plain(m, w->path, w->common.mode, fill, j);
		else if (!rc)
			rc = store(w, m);
		if (rc == -EEXIST)
			take_draft(j);
	}
	if (!rc && w->common.sync && map_sync_parent(m))
		rc = -ERR_NOT_DURABLE;
	return rc;
}

static int
failed(const struct mmwrite *w, int rc)
{
	uint64_t end = w->pos < w->old_size ? w->pos : w->old_size;
	uint64_t changed = end > w->off ? end - w->off : 0;
	const char *part = w->cut ? "the new part was cut off again, " : "";
	char state[160];

	if (rc == -ERR_NOT_DURABLE)
		return cli_fail(w->path, rc, NULL, "sync", NULL);
	if (w->draft)
		snprintf(state, sizeof(state), "not created");
	else if (changed)
		snprintf(state, sizeof(state), "%s%llu old byte%s changed, from byte %llu on", part,
		    (unsigned long long)changed, changed == 1 ? " was" : "s were", (unsigned long long)w->off);
	else
		snprintf(state, sizeof(state), "%snothing was changed", part);
	if (!w->in.failed)
		return cli_fail(w->path, rc, NULL, "write", state);
	cli_fail(w->path, rc, NULL, "standard input", state);
	return rc == -EISDIR ? EX_NOPERM : EX_IOERR;
}

static int
run(int argc, char **argv)
{
	struct job j = { .w = { .common = CLI_COMMON }, .spare = -1 };
	struct map m = MAP_CLOSED;
	int rc, late;

	cli_parse(&argp, argc, argv, 0, &j.w);
	rc = copy_in_init(&j.w.in, STDIN_FILENO);
	if (!rc)
		rc = write_file(&j, &m);
	if (j.w.in.known && j.w.in.fd == STDIN_FILENO)
		(void)lseek(STDIN_FILENO, (off_t)j.w.in.pos, SEEK_SET); /* as if it had been read */
	if (m.fd >= 0 && (late = close_checked(&m)) && !rc)
		rc = late;
	return rc ? failed(&j.w, rc) : 0;
}

int
main(int argc, char **argv)
{
	return cli_main_single("mmwrite", run, argc, argv);
}
