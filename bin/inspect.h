/*
 * What the verbs of mmalloc-inspect share: a file opened for reading, its kind, damage told in one form.
 * Each verb is one file, bin/inspect_VERB.c.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "cli.h"
#include "map.h"
#include "view.h"

#include <json.h>
#include <stdbool.h>

struct inspect {
	const char *path;
	struct map map;
	struct view view;
	bool heap; /* view is open */
};

/*
 * Opens path and finds its heap kind; exit code, 0 when done. `any`: a file that is no heap is no error.
 * inspect_close() after either outcome.
 */
int inspect_open(struct inspect *in, const char *path, bool any) __attribute__((warn_unused_result));
void inspect_close(struct inspect *in);

/* Reports that a heap is damaged, or would not hold still, or what else rc says. Returns the exit code. */
int inspect_fail(const struct inspect *in, int rc, const struct err_at *at, const char *doing);

/* Prints obj as one line and drops it. 0 or -errno. */
int inspect_json(json_object *obj) __attribute__((warn_unused_result));
void inspect_put_u64(json_object *obj, const char *key, uint64_t value);

/* "12.3K" for the terminal. */
void inspect_size(char text[16], uint64_t bytes);

/* Is stdout a terminal? Its width then, else 0. */
unsigned inspect_width(void);

int cmd_summary(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_check(int argc, char **argv);

#endif
