#include "record.h"
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the recorder knows of the running program and its file. */
struct recorder {
	struct record *r;
	struct tracee t;
	char dir[PATH_MAX];
	char store[PATH_MAX + 8];
	int fd;             /* the file, opened by us; -1: not there yet */
	dev_t dev;
	ino_t ino;
	const uint8_t *live; /* our view of it */
	struct image now;   /* what was recorded of it */
	bool linked;
	uint64_t map_from, map_to; /* where the program has it mapped */
	uint8_t seen_rip[1 << 16]; /* bloom of instructions that pointed there */
};

static void *
grown(void *p, size_t n, size_t size)
{
	if (n & (n - 1))
		return p;
	p = realloc(p, (n ? 2 * n : 1) * size);
	if (!p)
		die("record");
	return p;
}

static void
mark(struct recorder *k, enum mark_kind kind, uint64_t value)
{
	struct record *r = k->r;

	r->m = grown(r->m, r->n_marks, sizeof(*r->m));
	r->m[r->n_marks++] = (struct mark){ r->steps, kind, value };
}

static void
add_version(struct recorder *k, uint64_t sector)
{
	struct record *r = k->r;
	struct version *v;

	r->v = grown(r->v, r->n_versions, sizeof(*r->v));
	v = &r->v[r->n_versions++];
	v->step = r->steps;
	v->sector = (uint32_t)sector;
	memcpy(v->data, k->live + sector * SECTOR, SECTOR);
	memcpy(k->now.p + sector * SECTOR, v->data, SECTOR);
}

/* Notes what the last step changed. */
static void
compare(struct recorder *k, bool may_resize)
{
	struct stat st;

	if (k->fd < 0)
		return;
	if (may_resize) {
		if (fstat(k->fd, &st))
			die("record");
		if ((uint64_t)st.st_size > IMAGE_MAX)
			die("record: the file grew beyond what is recorded");
		if ((uint64_t)st.st_size != k->now.size) {
			/* What was cut off reads as zeros if it comes back. */
			for (uint64_t at = (uint64_t)st.st_size; at < k->now.size; at++)
				k->now.p[at] = 0;
			k->now.size = (uint64_t)st.st_size;
			mark(k, MARK_SIZE, k->now.size);
		}
	}
	for (uint64_t at = 0; at < k->now.size; at += 4096) {
		if (!memcmp(k->live + at, k->now.p + at, 4096))
			continue;
		for (uint64_t s = at / SECTOR; s < at / SECTOR + 4096 / SECTOR; s++)
			if (memcmp(k->live + s * SECTOR, k->now.p + s * SECTOR, SECTOR))
				add_version(k, s);
	}
}

static void
watch(struct recorder *k, int fd, const struct stat *st)
{
	k->fd = fd;
	k->dev = st->st_dev;
	k->ino = st->st_ino;
	k->live = mmap(NULL, IMAGE_MAX, PROT_READ, MAP_SHARED, fd, 0);
	if (k->live == MAP_FAILED)
		die("record");
}

/* Opens what the program has as descriptor n, when it is a file in our directory that may become the store. */
static void
adopt(struct recorder *k, uint64_t n)
{
	char path[64], target[PATH_MAX + 64];
	struct stat st;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/fd/%llu", (long)k->t.pid, (unsigned long long)n);
	len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	if (strncmp(target, k->dir, strlen(k->dir)) || (!strstr(target, "/#") && strcmp(target, k->store)))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	watch(k, fd, &st);
}

enum what { OTHER, OUR_FILE, OUR_DIRECTORY };

static enum what
what_is(struct recorder *k, uint64_t n)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld/fd/%llu", (long)k->t.pid, (unsigned long long)n);
	if (stat(path, &st))
		return OTHER;
	if (S_ISDIR(st.st_mode))
		return OUR_DIRECTORY;
	return k->fd >= 0 && st.st_dev == k->dev && st.st_ino == k->ino ? OUR_FILE : OTHER;
}

static void
after_call(struct recorder *k, const struct step *s)
{
	struct stat st;

	mark(k, MARK_CALL, (uint64_t)s->nr);
	if (s->ret < 0 && s->ret > -4096)
		return;
	switch (s->nr) {
	case SYS_openat:
		if (k->fd < 0)
			adopt(k, (uint64_t)s->ret);
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		if (what_is(k, s->arg[0]) == OUR_DIRECTORY)
			mark(k, MARK_DIR_SYNC, 0);
		else if (what_is(k, s->arg[0]) == OUR_FILE)
			mark(k, MARK_SYNC, 0);
		break;
	case SYS_msync:
		die("record: msync(2) is not modelled");
	case SYS_write:
	case SYS_writev:
	case SYS_vmsplice:
	case SYS_splice:
		if (!stat("out", &st) && (uint64_t)st.st_size != k->now.out)
			mark(k, MARK_OUT, k->now.out = (uint64_t)st.st_size);
		break;
	}
	if (!k->linked && k->fd >= 0 && !stat(k->store, &st) && st.st_ino == k->ino) {
		k->linked = true;
		mark(k, MARK_LINKED, 1);
	}
}

/* Does a register point into the mapped file at an instruction where none did before? For row 7. */
static void
note_touch(struct recorder *k)
{
	const struct user_regs_struct *g = &k->t.regs;
	const unsigned long long all[] = { g->rax, g->rbx, g->rcx, g->rdx, g->rsi, g->rdi, g->rbp, g->r8, g->r9, g->r10,
		g->r11, g->r12, g->r13, g->r14, g->r15 };

	for (size_t i = 0; k->map_to && i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] >= k->map_from && all[i] < k->map_to) {
			if (k->seen_rip[g->rip & 0xffff] < 3) {
				k->seen_rip[g->rip & 0xffff]++;
				mark(k, MARK_TOUCH, g->rip);
			}
			return;
		}
}

static void
run(struct recorder *k, const struct command *c, unsigned n)
{
	struct record *r = k->r;
	struct step s;
	bool goes_on;

	if (trace_start(&k->t, c, bin_dir, k->dir))
		die("cannot trace %s/%s", bin_dir, c->argv[0]);
	r->start[n] = r->steps;
	k->map_to = 0;
	goes_on = trace_to_first(&k->t);
	while (goes_on) {
		goes_on = trace_step(&k->t, &s);
		r->steps++;
		if (goes_on && s.syscall)
			after_call(k, &s);
		if (goes_on && s.syscall && s.nr == SYS_mmap && s.arg[3] & MAP_SHARED) {
			k->map_from = (uint64_t)s.ret;
			k->map_to = k->map_from + IMAGE_MAX;
		}
		compare(k, s.syscall);
		note_touch(k);
	}
	r->code[n] = WIFEXITED(k->t.status) ? WEXITSTATUS(k->t.status) : 128 + WTERMSIG(k->t.status);
	r->end[n] = r->steps;
	mark(k, MARK_END, n);
}

void
record_op(struct record *r, const struct op *op, const char *dir)
{
	struct recorder k = { .r = r, .fd = -1 };
	struct command c;
	struct stat st;
	int fd;

	memset(r, 0, sizeof(*r));
	op_prepare(op, dir);
	if (!realpath(dir, k.dir))
		die("%s", dir);
	snprintf(k.store, sizeof(k.store), "%s/%s", k.dir, STORE);
	image_init(&k.now);
	image_read(&k.now, k.store);
	k.now.out = 0;
	r->base_exists = k.linked = k.now.exists;
	r->base_size = k.now.size;
	r->base = malloc(k.now.size + SECTOR);
	if (!r->base)
		die("record");
	memcpy(r->base, k.now.p, k.now.size);
	fd = open(k.store, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		watch(&k, fd, &st);
	for (; op->commands[r->commands]; r->commands++) {
		command_parse(&c, op->commands[r->commands]);
		if (chdir(k.dir))
			die("%s", k.dir);
		run(&k, &c, r->commands);
	}
	if (k.fd >= 0) {
		if (instance_id(k.fd, &r->instance))
			die("%s", k.store);
		munmap((void *)(uintptr_t)k.live, IMAGE_MAX);
		close(k.fd);
	}
	munmap(k.now.p, IMAGE_MAX);
}

void
record_free(struct record *r)
{
	free(r->v);
	free(r->m);
	free(r->base);
	memset(r, 0, sizeof(*r));
}
