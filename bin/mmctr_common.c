/* Open, update, print, report: the common way of the verbs. */
#include "mmctr.h"
#include "lock.h"
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
ctr_expect(const struct ctr_cmd *cmd, const char *argv0, int lo, int hi, const char *what)
{
	if (!cmd->file)
		return cli_usage(argv0, "FILE is required");
	if (cmd->nargs < lo)
		return cli_usage(argv0, "%s is required", what);
	if (hi >= 0 && cmd->nargs > hi)
		return cli_usage(argv0, "too many operands: '%s'", cmd->args[hi]);
	return 0;
}

int
ctr_name(const struct ctr_cmd *cmd, const char *name)
{
	char safe[64];

	if (!ctr_name_check(name, strlen(name)))
		return 0;
	cli_vis(safe, sizeof(safe), name, strlen(name));
	cli_warn(cmd->file, "'%s': not a counter name (1 to 255 bytes, no control characters, no @ or - first)", safe);
	return EX_USAGE;
}

static const char *
state_of(int rc)
{
	return rc == -ERR_NOT_DURABLE ? NULL : "nothing changed";
}

int
ctr_fail(struct ctr *c, const struct ctr_cmd *cmd, int rc, const char *doing, const char *name)
{
	char text[512], safe[300] = "";
	pid_t holder;
	int n;

	if (name)
		cli_vis(safe, sizeof(safe), name, strlen(name));
	n = snprintf(text, sizeof(text), name ? "%s '%s'" : "%s", doing, safe);
	if (rc == -ERR_LOCKED && (holder = lock_holder(c->map.fd, LOCK_MAIN)) > 0)
		snprintf(text + n, sizeof(text) - (size_t)n, " (process %ld holds the lock)", (long)holder);
	return cli_fail(cmd->file, rc, &c->map.at, text, state_of(rc));
}

int
ctr_begin(struct ctr *c, const struct ctr_cmd *cmd, unsigned flags)
{
	struct ctr_how how = {
		.flags = flags,
		.mode = cmd->common.mode,
		.lock_timeout = cmd->common.lock_timeout,
	};
	int rc;

	if (cmd->common.no_create)
		how.flags &= ~(unsigned)CTR_CREATE;
	if (cmd->common.sync && flags & CTR_RW)
		how.flags |= CTR_SYNC;
	cli_using(cmd->file);
	rc = ctr_open(c, cmd->file, &how);
	return rc ? cli_fail(cmd->file, rc, &c->map.at, "open", rc == -ENOENT ? NULL : state_of(rc)) : 0;
}

int
ctr_done(struct ctr *c, const struct ctr_cmd *cmd, int status)
{
	int rc = cmd->common.sync ? ctr_sync(c) : 0;

	/* No munmap: the process ends, and its exit does that cheaper. */
	return rc ? ctr_fail(c, cmd, rc, "sync", NULL) : status;
}

int
ctr_print(const struct ctr_cmd *cmd, const char *name, int64_t value)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t bits = (uint64_t)value;
	char text[19];
	size_t at = sizeof(text);

	if (cmd->common.quiet)
		return 0;
	if (cmd->common.json)
		return ctr_print_json(cmd, name, strlen(name), value);
	text[--at] = '\n';
	if (!cmd->hex) {
		int rc = out_i64(value);

		return rc ? rc : out_write(text + at, 1);
	}
	do
		text[--at] = digits[bits & 15];
	while (bits >>= 4);
	text[--at] = 'x';
	text[--at] = '0';
	return out_write(text + at, sizeof(text) - at);
}

int
ctr_run_update(const struct ctr_cmd *cmd, const char *doing, const char *name, bool print)
{
	int64_t old, new;
	struct ctr c;
	int rc, status = ctr_name(cmd, name);

	if (!status)
		status = ctr_begin(&c, cmd, CTR_RW | CTR_CREATE);
	if (status)
		return status;
	rc = ctr_update(&c, name, strlen(name), &cmd->op, &old, &new);
	if (rc == CTR_NO)
		return EXIT_NO;
	if (rc)
		return ctr_fail(&c, cmd, rc, doing, name);
	status = ctr_done(&c, cmd, EX_OK);
	rc = print ? ctr_print(cmd, name, cmd->old ? old : new) : 0;
	if (!rc)
		rc = out_flush();
	/* Who tries again because the output was lost counts twice: say that it is done. */
	return rc ? cli_stdout(rc, "the counter was changed") : status;
}
