/*
 * The table of operations. "mk" in a set-up is a function of the shell there: mk N prints N bytes that tell their place.
 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL (OP_KILL | OP_CUT | OP_DISTURB)
#define HELPERS "set -e; mk() { yes \"$2 0123456789 abcdefghijklmnopqrstuvwxyz\" | head -c \"$1\"; };" \
	" forget() { head -c 64 /dev/zero | mmwrite -o 128 s; }; "

/* Two items taken and one left, all durable. */
#define SOME "mmq push --sync s one two three 'item four' five; mmq pop --sync -n 2 s >/dev/null; "
/* A segment is drained and its head durable: the next push uses it again. */
#define WRAP "mk 60000 a | mmq push --raw --sync s; mk 60000 b | mmq push --raw --sync s; mmq pop --sync s >/dev/null; "

const struct op ops[] = {
	{ "q-create", &judge_queue, "", { "mmq init s" }, ALL },
	{ "q-push-new", &judge_queue, "", { "mmq push s a b c" }, ALL },
	{ "q-push", &judge_queue, SOME, { "mmq push s six seven" }, ALL },
	{ "q-push-stdin", &judge_queue, SOME "seq 300 >in; ", { "mmq push s <in" }, OP_KILL | OP_CUT },
	{ "q-push-big", &judge_queue, SOME "mk 70000 b >in; ", { "mmq push --raw s <in" }, ALL },
	{ "q-grow", &judge_queue, SOME "mk 60000 a | mmq push --raw s; mk 60000 b >in; ", { "mmq push --raw s <in" }, ALL },
	{ "q-wrap", &judge_queue, WRAP "mk 50000 c >in; ", { "mmq push --raw s <in" }, ALL },
	{ "q-pop", &judge_queue, SOME, { "mmq pop s" }, ALL },
	{ "q-pop-n", &judge_queue, SOME, { "mmq pop -n 2 s" }, ALL },
	{ "q-pop-all", &judge_queue, SOME "seq 40 | mmq push --sync s; ", { "mmq pop --all s" }, ALL },
	{ "q-pop-big", &judge_queue, WRAP, { "mmq pop --raw s" }, ALL },
	{ "q-recover", &judge_queue, SOME "mmq push s six; forget; ", { "mmq push --sync s seven" }, ALL },
	{ "q-recover-torn", &judge_queue, SOME "mmq push s six seven eight; forget; "
	  "head -c 40 /dev/zero | mmwrite -o $((65536 + 32 + 5 * 40 + 8)) s; ", { "mmq push --sync s nine" }, ALL },
	{ "q-sync", &judge_queue, "", { "mmq push --sync s a b", "mmq push s c", "mmq pop s", "mmq push --sync s d e",
	  "mmq pop --sync s", "mmq push s f g" }, OP_CUT },
	{ "q-sync-pops", &judge_queue, SOME, { "mmq pop s", "mmq push s six", "mmq pop --sync s", "mmq push s seven",
	  "mmq push --sync s eight", "mmq pop s" }, OP_CUT },
	{ "q-reuse", &judge_queue, "mk 50000 a >a; mk 50000 b >b; mk 50000 c >c; mk 50000 d >d; mk 50000 e >e; mmq init s; ",
	  { "mmq push --raw --sync s <a", "mmq push --raw s <b", "mmq pop --raw s", "mmq pop --raw s", "mmq push --raw s <c",
	  "mmq push --raw s <d", "mmq pop --raw s", "mmq push --raw --sync s <e" }, OP_CUT },
	{ "q-reuse-sync", &judge_queue, "mk 60000 a >a; mk 60000 b >b; mk 60000 c >c; mmq init s; ",
	  { "mmq push --raw --sync s <a", "mmq push --raw --sync s <b", "mmq pop --raw --sync s", "mmq push --raw s <c",
	  "mmq pop --raw s", "mmq push --raw --sync s <a", "mmq pop --raw s", "mmq pop --raw s", "mmq push --raw s <b" },
	  OP_CUT },
	{ "w-inside", &judge_range, "mk 20000 a >s; mk 9000 N >in; ", { "mmwrite -o 3000 s <in" }, ALL },
	{ "w-grow", &judge_range, "mk 20000 a >s; mk 9000 N >in; ", { "mmwrite -o 15000 s <in" }, ALL },
	{ "w-new", &judge_range, "mk 9000 N >in; ", { "mmwrite --sync s <in" }, ALL },
	{ "w-sync", &judge_range, "mk 20000 a >s; mk 9000 N >in; mk 300 M >in2; ", { "mmwrite --sync -o 15000 s <in",
	  "mmwrite -o 2 s <in2", "mmwrite --sync -o 15000 s <in2" }, OP_CUT },
	{ "c-create", &judge_counters, "", { "mmctr init s" }, ALL },
	{ "c-inc-new", &judge_counters, "", { "mmctr inc s hits 5" }, ALL },
	{ "c-inc", &judge_counters, "mmctr inc s hits 5; mmctr set s misses 7; ", { "mmctr inc s hits 3" }, ALL },
	{ "c-add-name", &judge_counters, "mmctr inc s hits 5; ", { "mmctr inc s misses" }, ALL },
	{ "c-del", &judge_counters, "mmctr inc s hits 5; mmctr inc s misses; ", { "mmctr del s hits" }, ALL },
	{ "c-revive", &judge_counters, "mmctr inc s hits 5; mmctr inc s misses; mmctr del s hits; ",
	  { "mmctr inc s hits" }, ALL },
	{ "c-page", &judge_counters, "for i in $(seq 62); do mmctr inc s c$i $i; done; ",
	  { "mmctr inc s next", "mmctr inc s next2" }, ALL },
	{ "c-table", &judge_counters, "for i in $(seq 383); do mmctr inc s c$i $i; done; ",
	  { "mmctr inc s next", "mmctr inc s next2" }, OP_KILL | OP_CUT },
	{ "c-grow", &judge_counters, "for i in $(seq 378); do mmctr inc s c$i $i; done; ",
	  { "mmctr inc s next", "mmctr inc --sync s next2" }, OP_KILL | OP_CUT },
	{ "c-sync", &judge_counters, "mmctr inc s hits 5; ", { "mmctr inc --sync s hits 3", "mmctr inc s new 4",
	  "mmctr set --sync s other 9", "mmctr dec s hits", "mmctr del s new", "mmctr inc --sync s hits" }, OP_CUT },
	{ .name = NULL },
};

const char *bin_dir = "bin";

const struct op *
op_find(const char *name)
{
	for (const struct op *op = ops; op->name; op++)
		if (!strcmp(op->name, name))
			return op;
	die("no operation '%s'; see --list", name);
}

bool
op_synced(const char *command)
{
	return strstr(command, "--sync");
}

void
op_prepare(const struct op *op, const char *dir)
{
	char script[4096];

	snprintf(script, sizeof(script), "PATH=%s:$PATH; LC_ALL=C; export PATH LC_ALL; mkdir -p '%s' && cd '%s' && "
	    "rm -rf ./* && { " HELPERS "%s :; } </dev/null >/dev/null", bin_dir, dir, dir, op->setup);
	if (system(script))
		die("%s: the set-up failed", op->name);
}
