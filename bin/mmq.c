/* mmq: persistent FIFO queue. Only the verb table; a verb is bin/mmq_VERB.c. */
#include "mmq.h"

static const struct cli_verb verbs[] = {
	{ "push", cmd_push, "Append items from operands or standard input" },
	{ "pop", cmd_pop, "Take the oldest item and print it" },
	{ "peek", cmd_peek, "Print the oldest item without taking it" },
	{ "len", cmd_len, "Print the number of ready items" },
	{ "stat", cmd_stat, "Print what is in the queue and how large it is" },
	{ "init", cmd_init, "Create a queue, with limits" },
	{ "check", cmd_check, "Verify every structure and item" },
	{ 0 },
};

int
main(int argc, char **argv)
{
	static const struct cli_prog prog = {
		.name = "mmq",
		.doc = "A FIFO queue in a file, shared by any number of processes.",
		.verbs = verbs,
	};

	return cli_main(&prog, argc, argv);
}
