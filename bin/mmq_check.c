/* mmq check FILE: verify every structure against every other; each damage on a line. Exit 0 or 65. */
#include "mmq.h"
#include "lock.h"
#include "out.h"

#include <json-c/json.h>

static const char doc[] =
    "Verify the whole file: OFFSET, code and message of each damage, a line each. Nothing is changed; writers wait "
    "meanwhile.";

struct findings {
	bool json, quiet;
	uint64_t n;
	int rc; /* of stdout */
};

static void
print(void *arg, uint64_t offset, const char *code, const char *message)
{
	struct findings *f = arg;
	struct json_object *o;

	f->n++;
	if (f->rc || f->quiet)
		return;
	if (!f->json) {
		f->rc = out_printf("%llu\t%s\t%s\n", (unsigned long long)offset, code, message);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "offset", json_object_new_uint64(offset));
	json_object_object_add(o, "code", json_object_new_string(code));
	json_object_object_add(o, "message", json_object_new_string(message));
	f->rc = out_str(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	if (!f->rc)
		f->rc = out_write("\n", 1);
	json_object_put(o);
}

int
cmd_check(int argc, char **argv)
{
	struct mmq_look o;
	struct findings f = { 0 };
	struct queue q;
	int rc, status;

	mmq_parse_look(&o, argc, argv, doc);
	f.json = o.common.json;
	f.quiet = o.common.quiet;
	status = mmq_open(&q, o.file, false, false, &o.common);
	if (status)
		return status;
	/* Shared: readers may check together, and no writer changes what is being compared. */
	rc = lock_take(q.m.fd, LOCK_MAIN, false, o.common.lock_timeout);
	if (!rc) {
		rc = q_check(&q, print, &f);
		lock_drop(q.m.fd, LOCK_MAIN);
	}
	if (rc)
		return mmq_fail(&q, rc, "check", "unchanged");
	return f.rc ? cli_stdout(f.rc, NULL) : f.n ? EX_DATAERR : 0;
}
