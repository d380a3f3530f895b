#include "inspect.h"
#include "out.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <bsd/stdlib.h>

int
inspect_open(struct inspect *in, const char *path, bool any)
{
	int rc;

	*in = (struct inspect){ .path = path, .map = MAP_CLOSED };
	/* A reader: links are followed as cat does, but what cannot be mapped is refused. */
	rc = map_open(&in->map, path, 0);
	if (!rc && !in->map.size)
		rc = -ERR_EMPTY;
	if (!rc)
		rc = map_view(&in->map, in->map.size);
	if (rc)
		return cli_fail(path, rc, NULL, "open", NULL);
	cli_using(path);
	rc = view_open(&in->view, in->map.base, in->map.size);
	in->heap = !rc;
	if (!rc || (any && rc == -ERR_KIND))
		return 0;
	return inspect_fail(in, rc, NULL, "open");
}

void
inspect_close(struct inspect *in)
{
	if (in->heap)
		view_close(&in->view);
	map_close(&in->map);
}

int
inspect_fail(const struct inspect *in, int rc, const struct err_at *at, const char *doing)
{
	if (rc == -ERR_KIND) {
		cli_warn(in->path, "%s: no heap of mmalloc or fmalloc; 'mmalloc-inspect FILE' tells what it is", doing);
		return EX_DATAERR;
	}
	if (rc == -EAGAIN) {
		cli_warn(in->path, "%s: changed under every look by a program that uses it; nothing was written; "
				   "try again when it is quieter, or on a copy", doing);
		return EX_TEMPFAIL;
	}
	return cli_fail(in->path, rc, at, doing, NULL);
}

int
inspect_json(json_object *obj)
{
	size_t n;
	const char *text;
	int rc;

	text = json_object_to_json_string_length(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	rc = text ? out_write(text, n) : -ENOMEM;

	json_object_put(obj);
	return rc ? rc : out_write("\n", 1);
}

void
inspect_put_u64(json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void
inspect_size(char text[16], uint64_t bytes)
{
	int64_t n = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;

	if (humanize_number(text, 6, n, "", HN_AUTOSCALE, HN_NOSPACE | HN_DECIMAL) < 0)
		strcpy(text, "?");
}

unsigned
inspect_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col ? 80 : w.ws_col;
}
