/* mmctr: persistent atomic counters. The verbs are in mmctr_VERB.c. */
#include "mmctr.h"

static const struct cli_verb verbs[] = {
	{ "get", cmd_get, "print the value of counters" },
	{ "set", cmd_set, "store a value" },
	{ "inc", cmd_inc, "add to a counter" },
	{ "dec", cmd_dec, "subtract from a counter" },
	{ "del", cmd_del, "remove counters" },
	{ "ls", cmd_ls, "list counters" },
	{ "init", cmd_init, "create a file" },
	{ 0 },
};

static const struct cli_prog prog = {
	.name = "mmctr",
	.doc = "Persistent atomic counters in a memory-mapped file.",
	.verbs = verbs,
};

int
main(int argc, char **argv)
{
	return cli_main(&prog, argc, argv);
}
