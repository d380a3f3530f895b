/* mmctr: persistent atomic counters. The verbs are in mmctr_VERB.c. */
#include "mmctr.h"

static const struct cli_verb verbs[] = {
	{ "get", cmd_get, "Print the value of counters" },
	{ "set", cmd_set, "Store a value" },
	{ "inc", cmd_inc, "Add to a counter" },
	{ "dec", cmd_dec, "Subtract from a counter" },
	{ "del", cmd_del, "Remove counters" },
	{ "ls", cmd_ls, "List counters" },
	{ "init", cmd_init, "Create a file" },
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
