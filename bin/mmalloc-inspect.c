/* mmalloc-inspect: what is in a heap file. Reads only. */
#include "inspect.h"

static const struct cli_verb verbs[] = {
	{ "summary", cmd_summary, "Kind, sizes, objects, fragmentation, health (also without a verb)" },
	{ "ls", cmd_ls, "List the blocks" },
	{ "check", cmd_check, "Verify everything: exit 0, or 65 with each damage at its offset" },
	{ 0 },
};

static const struct cli_prog prog = {
	.name = "mmalloc-inspect",
	.doc = "Looks into heap files (fmalloc's), never writing to them.",
	.verbs = verbs,
	.implied = &verbs[0],
};

int
main(int argc, char **argv)
{
	return cli_main(&prog, argc, argv);
}
