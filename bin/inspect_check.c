/* check: every structure of the heap, each damage at its offset. */
#include "inspect.h"
#include "out.h"

struct check {
	struct cli_common common;
	const char *file;
	uint64_t found;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct check *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one FILE only");
		o->file = arg;
		return 0;
	case 'q':
		o->common.quiet = true;
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
	{ "quiet", 'q', NULL, 0, "Print nothing, the exit code says it", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { .argp = &cli_json_argp }, { 0 } };
static const struct argp argp = {
	options, parse, "FILE",
	"Verify every chunk, flag, footer, list, tree and lock of a heap.\v"
	"Exit 0 when all is right, 65 with a line for each damage: offset, code, message. Objects that nobody "
	"points to are no damage.",
	children, NULL, NULL,
};

static int
print_damage(void *arg, const struct view_damage *d)
{
	struct check *o = arg;
	char text[256];

	o->found++;
	if (o->common.quiet)
		return 0;
	snprintf(text, sizeof(text), "%s (0x%llx, in what begins at 0x%llx)", d->text, (unsigned long long)d->offset,
	    (unsigned long long)d->owner);
	if (!o->common.json)
		return out_printf("%llu\t%s\t%s\n", (unsigned long long)d->offset, d->code, text);

	json_object *obj = json_object_new_object();

	inspect_put_u64(obj, "offset", d->offset);
	json_object_object_add(obj, "code", json_object_new_string(d->code));
	json_object_object_add(obj, "message", json_object_new_string(text));
	inspect_put_u64(obj, "owner", d->owner);
	inspect_put_u64(obj, "value", d->value);
	return inspect_json(obj);
}

int
cmd_check(int argc, char **argv)
{
	struct check o = { .common = CLI_COMMON };
	struct inspect in;
	int rc, status;

	cli_parse(&argp, argc, argv, 0, &o);
	status = inspect_open(&in, o.file, false);
	if (status)
		goto out;
	rc = view_check(&in.view, print_damage, &o);
	if (rc == -ERR_DAMAGED) {
		(void)!out_flush(); /* the list stands before its sum; a failure here changes no exit code */
		cli_warn(o.file, "check: damaged in %llu place%s; nothing was written; keep a copy",
		    (unsigned long long)o.found, o.found == 1 ? "" : "s");
		status = EX_DATAERR;
	} else if (rc)
		status = inspect_fail(&in, rc, NULL, "check");
out:
	inspect_close(&in);
	return status;
}
