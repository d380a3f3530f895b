/* The options that many verbs share, as argp children. Each takes a struct cli_common as input. */
#include "cli.h"
#include "num.h"

enum { KEY_NO_CREATE = 0x100, KEY_LOCK_TIMEOUT, KEY_JSON };

static error_t
parse_common(int key, char *arg, struct argp_state *state)
{
	struct cli_common *c = state->input;

	switch (key) {
	case 's':
		c->sync = true;
		return 0;
	case 'q':
		c->quiet = true;
		return 0;
	case 'm':
		cli_check_number(state, num_mode(arg, &c->mode), "mode", arg);
		return 0;
	case KEY_NO_CREATE:
		c->no_create = true;
		return 0;
	case KEY_LOCK_TIMEOUT:
		cli_check_number(state, num_duration(arg, &c->lock_timeout), "lock timeout", arg);
		return 0;
	case KEY_JSON:
		c->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option create_options[] = {
	{ "no-create", KEY_NO_CREATE, NULL, 0, "Do not create a missing FILE: exit 66", 90 },
	{ "mode", 'm', "OCTAL", 0, "Permissions of a new FILE (default 0600)", 90 },
	{ 0 },
};

static const struct argp_option store_options[] = {
	{ "sync", 's', NULL, 0, "Exit 0 means on stable storage", 90 },
	{ "quiet", 'q', NULL, 0, "Print no results", 90 },
	{ "lock-timeout", KEY_LOCK_TIMEOUT, "DUR", 0, "Wait so long for a lock (default 10s), then exit 75", 90 },
	{ 0 },
};

static const struct argp_option json_options[] = {
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 90 },
	{ 0 },
};

const struct argp cli_create_argp = { .options = create_options, .parser = parse_common };
const struct argp cli_store_argp = { .options = store_options, .parser = parse_common };
const struct argp cli_json_argp = { .options = json_options, .parser = parse_common };
