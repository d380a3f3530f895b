/* ls: the blocks, in order of offset as they are met, or sorted. */
#include "inspect.h"
#include "num.h"
#include "out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum sort { BY_OFFSET, BY_SIZE, BY_STATE };

struct ls {
	struct cli_common common;
	const char *file;
	bool used, free; /* neither or both: all */
	uint64_t min;
	enum sort sort;
	const struct view *view;
	bool terminal;
	struct view_block *all; /* when sorted otherwise than they come */
	size_t n, room;
};

enum { KEY_USED = 0x200, KEY_FREE, KEY_MIN, KEY_SORT };

static enum sort
sort_key(struct argp_state *state, const char *word)
{
	if (!strcmp(word, "size"))
		return BY_SIZE;
	if (!strcmp(word, "state"))
		return BY_STATE;
	if (strcmp(word, "offset"))
		argp_error(state, "--sort takes offset, size or state");
	return BY_OFFSET;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct ls *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case KEY_USED:
		o->used = true;
		return 0;
	case KEY_FREE:
		o->free = true;
		return 0;
	case KEY_MIN:
		cli_check_number(state, num_size(arg, &o->min), "size", arg);
		return 0;
	case KEY_SORT:
		o->sort = sort_key(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one FILE only");
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

static const struct argp_option options[] = {
	{ "used", KEY_USED, NULL, 0, "Only blocks in use", 0 },
	{ "free", KEY_FREE, NULL, 0, "Only free blocks", 0 },
	{ "min", KEY_MIN, "SIZE", 0, "Only blocks of at least SIZE usable bytes", 0 },
	{ "sort", KEY_SORT, "KEY", 0, "offset (default), size (largest first) or state (used first)", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
static const struct argp argp = {
	options, parse, "FILE",
	"List every block of the user's: offset, usable size, state, size class.\v"
	"The heap's own tables are not listed. Behind damage in the chain of blocks the list goes on where it can "
	"be found again; the exit code is then 65.",
	children, NULL, NULL,
};

static int
print_block(const struct ls *o, const struct view_block *b)
{
	char class[16];
	int rc;

	if (o->common.json) {
		json_object *obj = json_object_new_object();

		inspect_put_u64(obj, "offset", b->offset);
		inspect_put_u64(obj, "size", b->size);
		json_object_object_add(obj, "state", json_object_new_string(b->used ? "used" : "free"));
		if (b->top || b->direct)
			json_object_object_add(obj, "kind", json_object_new_string(b->top ? "top" : "direct"));
		return inspect_json(obj);
	}
	o->view->ops->class_name(b, class, sizeof(class));
	if (o->terminal) {
		char size[16];

		inspect_size(size, b->size);
		return out_printf("%15llu %12llu %6s  %s  %s\n", (unsigned long long)b->offset,
		    (unsigned long long)b->size, size, b->used ? "used" : "free", class);
	}
	/* Without printf, which took two thirds of the time of a long list. */
	if ((rc = out_u64(b->offset)) || (rc = out_write("\t", 1)) || (rc = out_u64(b->size)) ||
	    (rc = out_str(b->used ? "\tused\t" : "\tfree\t")) || (rc = out_str(class)))
		return rc;
	return out_write("\n", 1);
}

static int
keep(struct ls *o, const struct view_block *b)
{
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 1024;
		struct view_block *more = reallocarray(o->all, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		o->all = more;
		o->room = room;
	}
	o->all[o->n++] = *b;
	return 0;
}

/* EX_IOERR stands apart from what view_walk() returns by itself: it is positive. */
static int
on_block(void *arg, const struct view_block *b)
{
	struct ls *o = arg;

	if (b->size < o->min || (o->used != o->free && b->used != o->used))
		return 0;
	if (o->sort != BY_OFFSET)
		return keep(o, b);
	return cli_stdout(print_block(o, b), NULL);
}

static int
by_size(const void *a, const void *b)
{
	const struct view_block *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

static int
by_state(const void *a, const void *b)
{
	const struct view_block *x = a, *y = b;

	if (x->used != y->used)
		return x->used ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

static int
print_sorted(struct ls *o)
{
	int status = 0;

	if (o->n)
		qsort(o->all, o->n, sizeof(*o->all), o->sort == BY_SIZE ? by_size : by_state);
	for (size_t i = 0; i < o->n && !status; i++)
		status = cli_stdout(print_block(o, &o->all[i]), NULL);
	return status;
}

int
cmd_ls(int argc, char **argv)
{
	struct ls o = { .common = CLI_COMMON };
	struct err_at at = { 0 };
	struct inspect in;
	int rc, status;

	cli_parse(&argp, argc, argv, 0, &o);
	o.terminal = inspect_width();
	o.view = &in.view;
	status = inspect_open(&in, o.file, false);
	if (status)
		goto out;
	if (o.terminal && !o.common.json)
		status = cli_stdout(out_printf("%15s %12s %6s  state class\n", "OFFSET", "SIZE", ""), NULL);
	rc = view_walk(&in.view, on_block, &o, &at);
	if (rc <= 0 && !status)
		status = print_sorted(&o);
	if (rc > 0)
		status = rc;
	else if (rc)
		status = inspect_fail(&in, rc, &at, "ls");
out:
	free(o.all);
	inspect_close(&in);
	return status;
}
