#include "frame.h"
#include "out.h"

#include <string.h>

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	enum frame *frame = state->input;

	switch (key) {
	case '0':
		*frame = FRAME_NUL;
		return 0;
	case 'f':
		if (strcmp(arg, "len"))
			argp_error(state, "unknown framing '%s'; 'len' is the one there is", arg);
		*frame = FRAME_LEN;
		return 0;
	case 'r':
		*frame = FRAME_RAW;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "null", '0', NULL, 0, "Items end with a NUL, not a newline", 50 },
	{ "frame", 'f', "len", 0, "Items are netstrings: 5:hello,", 50 },
	{ "raw", 'r', NULL, 0, "One item: all bytes, none added", 50 },
	{ 0 },
};

const struct argp frame_argp = { .options = options, .parser = parse };

static unsigned
digits(uint64_t n)
{
	unsigned d = 1;

	while (n /= 10)
		d++;
	return d;
}

uint64_t
frame_size(enum frame frame, uint64_t n)
{
	switch (frame) {
	case FRAME_LEN:
		return digits(n) + n + 2;
	case FRAME_RAW:
		return n;
	default:
		return n + 1;
	}
}

int
frame_begin(enum frame frame, uint64_t n)
{
	int rc;

	if (frame != FRAME_LEN)
		return 0;
	rc = out_u64(n);
	return rc ? rc : out_write(":", 1);
}

int
frame_end(enum frame frame)
{
	switch (frame) {
	case FRAME_LINE:
		return out_write("\n", 1);
	case FRAME_NUL:
		return out_write("", 1);
	case FRAME_LEN:
		return out_write(",", 1);
	default:
		return 0;
	}
}
