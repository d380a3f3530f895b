/* mmctr ls: all counters, sorted by name in byte order. */
#include "mmctr.h"
#include "out.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct ctr_cmd *cmd = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		ctr_children(state, 2);
		return 0;
	case 'x':
		cmd->hex = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "hex", 'x', NULL, 0, "Print the bit pattern, 0x...", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { &ctr_json_argp, 0, NULL, 0 },
	{ 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE [GLOB...]",
	.doc = "List counters, NAME<TAB>VALUE, sorted by name; with GLOBs those that match any.",
	.children = children,
};

struct row {
	uint64_t slot;
	int64_t value;
	char *name;
	size_t n;
};

struct list {
	const struct ctr_cmd *cmd;
	struct row *rows;
	size_t n, room;
};

static bool
wanted(const struct ctr_cmd *cmd, const char *name)
{
	for (int i = 0; i < cmd->nargs; i++)
		if (!fnmatch(cmd->args[i], name, 0))
			return true;
	return !cmd->nargs;
}

static int
collect(const struct ctr_item *it, void *arg)
{
	struct list *l = arg;
	struct row *r;

	if (!wanted(l->cmd, it->name))
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 256;

		r = reallocarray(l->rows, room, sizeof(*r));
		if (!r)
			return -ENOMEM;
		l->rows = r;
		l->room = room;
	}
	r = &l->rows[l->n];
	*r = (struct row){ .slot = it->slot, .value = it->value, .name = malloc(it->n + 1), .n = it->n };
	if (!r->name)
		return -ENOMEM;
	memcpy(r->name, it->name, it->n + 1);
	l->n++;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static int
print_row(const struct ctr_cmd *cmd, const struct row *r, bool tty)
{
	char safe[CTR_NAME_MAX * 4 + 1];
	int rc;

	if (cmd->common.quiet)
		return 0;
	if (cmd->common.json)
		return ctr_print_json(cmd, r->name, r->n, r->value);
	if (tty)
		cli_vis(safe, sizeof(safe), r->name, r->n);
	rc = out_str(tty ? safe : r->name);
	if (!rc)
		rc = out_write("\t", 1);
	return rc ? rc : ctr_print(cmd, r->name, r->value);
}

int
cmd_ls(int argc, char **argv)
{
	struct ctr_cmd cmd = CTR_CMD;
	struct list l = { .cmd = &cmd };
	bool tty = isatty(STDOUT_FILENO);
	struct ctr c;
	int rc, status;

	cli_parse(&argp, argc, argv, 0, &cmd);
	status = ctr_expect(&cmd, argv[0], 0, -1, "FILE");
	if (!status)
		status = ctr_begin(&c, &cmd, CTR_RDONLY);
	if (status)
		return status;
	rc = ctr_each(&c, collect, &l);
	if (l.n)
		qsort(l.rows, l.n, sizeof(*l.rows), by_name);
	for (size_t i = 0; i < l.n; i++)
		if (print_row(&cmd, &l.rows[i], tty))
			break; /* cli_main() reports it */
	if (rc)
		status = cli_fail(cmd.file, rc, &c.map.at, "list", "the intact counters are listed");
	for (size_t i = 0; i < l.n; i++)
		free(l.rows[i].name);
	free(l.rows);
	return status;
}
