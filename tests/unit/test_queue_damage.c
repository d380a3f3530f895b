/*
 * Queues that lie: every byte of a small queue changed, one at a time, and what power cuts leave: sectors of
 * different ages mixed, a length of an earlier time. No wrong bytes, no crash, no hang; what was flushed is there.
 */
#include "queue_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define IDS 20000
#define IMAGE_MAX (64 << 20)
#define VERSIONS 6

static char path[] = "/tmp/mmutils-queue-XXXXXX";
static uint64_t rnd = UINT64_C(88172645463325252);
static struct q_writer writer;
static uint8_t payload[200 * 1024];
static uint64_t lengths[IDS]; /* by id; an item's seed is its id */

struct image {
	uint8_t *p;
	size_t n;
};

static void
save(struct image *image)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && !fstat(fd, &st) && st.st_size < IMAGE_MAX);
	image->n = (size_t)st.st_size;
	image->p = realloc(image->p, image->n);
	assert_non_null(image->p);
	assert_int_equal(pread(fd, image->p, image->n, 0), st.st_size);
	close(fd);
}

static void
restore(const struct image *image)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)image->n), 0);
	assert_int_equal(pwrite(fd, image->p, image->n, 0), (ssize_t)image->n);
	close(fd);
}

static void
create(void)
{
	static const struct q_config config;

	unlink(path);
	assert_int_equal(q_create(path, 0600, &config), 0);
}

static void
push(struct queue *q, uint64_t n)
{
	uint64_t id;

	assert_int_equal(q_push_begin(q, &writer, 0), 0);
	id = q->s.next_id;
	assert_true(id < IDS);
	lengths[id] = n;
	item_fill(payload, id, n);
	assert_int_equal(q_push_put(&writer, payload, n), 0);
	assert_int_equal(q_push_end(&writer), 0);
}

/* An item as it comes from a file that may lie: its check holds, so its bytes must be those that were pushed as its id. */
static void
expect_true_item(struct queue *q, const struct q_state *s, const struct q_item *item, uint64_t *last)
{
	assert_true(item->id > *last && item->id < IDS);
	assert_int_equal(item->length, lengths[item->id]);
	assert_true(item_matches(q, s, item, item->id));
	*last = item->id;
}

static void
walk(struct queue *q, const struct q_state *s, uint64_t at, uint64_t to, uint64_t *last)
{
	struct q_item item;

	for (; at < to; at = item.end) {
		if (q_record(q, s, at, to, &item))
			return;
		assert_true(item.end > at);
		if (item.kind == Q_ITEM && !q_verify(q, s, &item))
			expect_true_item(q, s, &item, last);
	}
}

static void
look(void)
{
	static struct q_snapshot snap;
	unsigned findings = 0;
	uint64_t last = 0;
	struct queue q;

	if (q_open(&q, path, false, LOCK_WAIT))
		return;
	if (!q_snapshot(&q, &snap))
		for (unsigned r = 0; r < snap.n; r++)
			walk(&q, &snap.s, snap.ready[r].from, snap.ready[r].to, &last);
	(void)!q_check(&q, count_finding, &findings);
	q_close(&q);
}

/* As pop does, to the end or to the first error. */
static void
drain(void)
{
	uint64_t last = 0;
	struct q_range r = { 0 };
	struct queue q;

	if (q_open(&q, path, true, LOCK_WAIT))
		return;
	for (unsigned rounds = 0;; rounds++) {
		assert_true(rounds < 1000);
		if (q_take(&q, 3, 1 << 20, &r) || !r.items)
			break;
		walk(&q, &q.s, r.from, r.to, &last);
		if (q_finish(&q, &r, r.to))
			break;
	}
	q_close(&q);
}

/* With the newest state lost its last id is given again: the item that belongs to it. */
static void
push_into(void)
{
	struct queue q;
	uint64_t id;

	if (q_open(&q, path, true, LOCK_WAIT))
		return;
	if (!q_push_begin(&q, &writer, 0)) {
		id = q.s.next_id;
		assert_true(id < IDS);
		item_fill(payload, id, lengths[id]);
		if (q_push_put(&writer, payload, lengths[id]))
			q_push_abandon(&writer);
		else
			(void)!q_push_end(&writer);
	}
	q_close(&q);
}

/* Items that left, items ready again, items in the hands of a dead consumer, one across two segments. */
static void
make_small(struct image *image)
{
	static const uint64_t sizes[] = { 10, 0, 8, 100, 33, 65400, 200, 1, 77 };
	struct queue q, dead, back;
	struct q_range r;

	create();
	open_queue(&q, path, true);
	open_queue(&dead, path, true);
	open_queue(&back, path, true);
	for (size_t i = 0; i < COUNT(sizes); i++)
		push(&q, sizes[i]);
	assert_int_equal(q_take(&q, 1, 1 << 20, &r), 0);
	assert_int_equal(q_finish(&q, &r, r.to), 0);
	assert_int_equal(q_take(&back, 2, 1 << 20, &r), 0);
	assert_int_equal(q_take(&dead, 1, 1 << 20, &r), 0);
	q_close(&dead);
	q_close(&back);
	q_close(&q);
	save(image);
}

static void
try_byte(const struct image *good, size_t at, uint8_t change)
{
	good->p[at] ^= change;
	restore(good);
	look();
	drain();
	restore(good);
	push_into();
	look();
	good->p[at] ^= change;
}

static void
every_byte(void **state)
{
	static const uint8_t changes[] = { 1, 0x80, 0xff };
	struct image good = { 0 };
	size_t tried = 0;

	(void)state;
	make_small(&good);
	assert_int_equal(good.n, 3 << Q_SEG_SHIFT);
	for (size_t at = 0; at < good.n; at++) {
		size_t in_segment = at % Q_SEG_SIZE;

		/* Bytes that mean something: what is zero in segment 0, and most of the large item, does not. */
		if (at < Q_SEG_SIZE ? at >= 1536 && !good.p[at] : in_segment >= 1024 && in_segment < Q_SEG_SIZE - 64)
			continue;
		try_byte(&good, at, changes[next_random(&rnd) % COUNT(changes)]);
		tried++;
	}
	assert_true(tried > 2000);
	free(good.p);
}

static void
every_length(void **state)
{
	struct image good = { 0 };
	size_t whole;

	(void)state;
	make_small(&good);
	whole = good.n;
	for (good.n = 0; good.n < whole; good.n += good.n < 4096 ? 7 : 1 + next_random(&rnd) % 700) {
		struct queue q;

		restore(&good);
		assert_int_not_equal(q_open(&q, path, false, LOCK_WAIT), 0);
		drain();
		push_into();
	}
	free(good.p);
}

/* A page of zeros, or of somewhere else in the file, as a bad copy leaves it. */
static void
pages(void **state)
{
	struct image good = { 0 }, bad = { 0 };

	(void)state;
	make_small(&good);
	bad.p = malloc(good.n);
	bad.n = good.n;
	assert_non_null(bad.p);
	for (unsigned i = 0; i < 300; i++) {
		size_t to = next_random(&rnd) % (good.n / 4096) * 4096, from = next_random(&rnd) % (good.n / 4096) * 4096;

		memcpy(bad.p, good.p, good.n);
		if (i % 2)
			memcpy(bad.p + to, good.p + from, 4096);
		else
			memset(bad.p + to, 0, 4096);
		restore(&bad);
		look();
		drain();
	}
	free(good.p);
	free(bad.p);
}

/* What the disk may hold: versions[0] is what the last flush found, the others followed. */
struct cut {
	struct image versions[VERSIONS];
	unsigned n;
	uint64_t durable_next_id; /* items below it were flushed */
	uint64_t gone;            /* items up to it were popped before the last version */
};

static void
pop_some(struct queue *q, struct cut *c, uint64_t n)
{
	struct q_item item;
	struct q_range r;

	assert_int_equal(q_take(q, n, 1 << 20, &r), 0);
	for (uint64_t at = r.from; r.items && at < r.to; at = item.end) {
		assert_int_equal(q_record(q, &q->s, at, r.to, &item), 0);
		c->gone = item.id;
	}
	if (r.items)
		assert_int_equal(q_finish(q, &r, r.to), 0);
}

static uint64_t
random_length(void)
{
	return next_random(&rnd) % (next_random(&rnd) % 8 ? 600 : 90000);
}

static void
work(struct queue *q, struct cut *c)
{
	for (uint64_t n = next_random(&rnd) % 12; n; n--)
		if (next_random(&rnd) % 5 < 3)
			push(q, random_length());
		else
			pop_some(q, c, 1 + next_random(&rnd) % 4);
}

/* A push of which the records are in the file and the commit is not. */
static void
half_push(struct queue *q)
{
	assert_int_equal(q_push_begin(q, &writer, 0), 0);
	item_fill(payload, 3, sizeof(payload));
	assert_int_equal(q_push_put(&writer, payload, 5000 + next_random(&rnd) % 90000), 0);
	q_push_abandon(&writer);
}

static void
make_cut(struct cut *c)
{
	struct queue q;

	create();
	c->n = 0;
	c->gone = 0;
	open_queue(&q, path, true);
	for (uint64_t rounds = next_random(&rnd) % 6; rounds; rounds--) {
		work(&q, c);
		if (next_random(&rnd) % 3 == 0)
			assert_int_equal(q_sync(&q), 0);
	}
	work(&q, c);
	save(&c->versions[c->n++]);
	assert_int_equal(q_lock(&q), 0);
	c->durable_next_id = q.s.next_id;
	q_unlock(&q);
	assert_int_equal(q_sync(&q), 0);
	while (c->n < VERSIONS) {
		save(&c->versions[c->n++]);
		work(&q, c);
		if (next_random(&rnd) % 4 == 0)
			half_push(&q);
	}
	q_close(&q);
}

/* Each sector as of some version; the list of instances empty, as after a boot. */
static void
mix(const struct cut *c, struct image *disk)
{
	uint64_t newest = 1 + next_random(&rnd) % (c->n - 1);

	disk->n = c->versions[next_random(&rnd) % 4 ? newest : next_random(&rnd) % (newest + 1)].n;
	disk->p = realloc(disk->p, disk->n);
	assert_non_null(disk->p);
	for (size_t at = 0; at < disk->n; at += SECTOR) {
		const struct image *v;

		do
			v = &c->versions[next_random(&rnd) % (newest + 1)];
		while (v->n <= at && v != &c->versions[newest]);
		if (v->n > at)
			memcpy(disk->p + at, v->p + at, SECTOR);
		else
			memset(disk->p + at, 0, SECTOR);
	}
	memset(disk->p + offsetof(struct q_file, instances), 0, Q_INSTANCES * 8);
}

/* The first lock recovers; then every flushed item that had not left is there, in order, and the file is whole. */
static void
expect_recovered(const struct cut *c, unsigned id)
{
	uint64_t last = 0, wanted = c->gone + 1;
	unsigned findings = 0;
	struct q_item item;
	struct queue q;
	int rc;

	open_queue(&q, path, true);
	rc = q_lock(&q);
	if (rc)
		fail_msg("cut %u: q_lock: %s at %llu: %s", id, err_text(rc), (unsigned long long)q.at.offset,
		    q.at.what ? q.at.what : "");
	assert_int_equal(q_check(&q, print_finding, &findings), 0);
	for (uint64_t at = q.s.head; at < q.s.tail; at = item.end) {
		assert_int_equal(q_record(&q, &q.s, at, q.s.tail, &item), 0);
		if (item.kind != Q_ITEM)
			continue;
		assert_int_equal(q_verify(&q, &q.s, &item), 0);
		expect_true_item(&q, &q.s, &item, &last);
		if (item.id >= wanted && item.id < c->durable_next_id && item.id != wanted)
			fail_msg("cut %u: item %llu is lost", id, (unsigned long long)wanted);
		if (item.id == wanted)
			wanted++;
	}
	if (wanted < c->durable_next_id)
		fail_msg("cut %u: item %llu is lost, the queue ends at %llu", id, (unsigned long long)wanted,
		    (unsigned long long)last);
	q_unlock(&q);
	q_close(&q);
	assert_int_equal(findings, 0);
}

static void
power_cuts(void **state)
{
	struct image disk = { 0 };
	struct cut c = { 0 };

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		if (i % 8 == 0)
			make_cut(&c);
		mix(&c, &disk);
		restore(&disk);
		expect_recovered(&c, i);
		drain();
	}
	for (unsigned i = 0; i < VERSIONS; i++)
		free(c.versions[i].p);
	free(disk.p);
}

/* A state as a hostile writer may make it: valid in every check. */
static void
forge(void (*change)(struct q_state *s))
{
	struct queue q;

	assert_int_equal(q_open(&q, path, true, LOCK_WAIT), 0);
	assert_int_equal(q_lock(&q), 0);
	change(&q.s);
	assert_int_equal(q_commit(&q), 0);
	q_unlock(&q);
	q_close(&q);
}

static void
terabytes(struct q_state *s)
{
	s->capacity = MAP_RESERVE + Q_SEG_SIZE;
	s->table_log2 = 25;
	s->table = MAP_RESERVE - (UINT64_C(8) << 25);
	s->ring = MAP_RESERVE / 2;
}

/* The file grows past the addresses that a reader has for it: an error, and no SIGSEGV. */
static void
beyond_the_mapping(void **state)
{
	struct q_state s;
	struct queue q;

	(void)state;
	create();
	assert_int_equal(q_open(&q, path, false, LOCK_WAIT), 0);
	assert_int_equal(q_map(&q), 0);
	if (q.m.reserve > MAP_RESERVE || truncate(path, (off_t)(MAP_RESERVE + Q_SEG_SIZE))) {
		q_close(&q);
		skip(); /* no such sizes here */
	}
	forge(terabytes);
	assert_int_equal(q_load(&q, &s), -ENOMEM);
	q_close(&q);
	unlink(path);
}

static void
last_position(struct q_state *s)
{
	s->head = s->next = s->tail = ((UINT64_C(1) << Q_POS_BITS) / Q_SEG_DATA - 3) * Q_SEG_DATA;
}

/* Positions come to their end: the push is refused, and the queue with all that was pushed stays readable. */
static void
end_of_positions(void **state)
{
	static char item[1000];
	struct q_range r;
	struct queue q;
	uint64_t in = 0;
	int rc;

	(void)state;
	create();
	forge(last_position);
	assert_int_equal(q_open(&q, path, true, LOCK_WAIT), 0);
	assert_int_equal(q_push_begin(&q, &writer, 0), 0);
	while (!(rc = q_push_put(&writer, item, sizeof(item))) && in < 1000)
		in++;
	assert_int_equal(rc, -EFBIG);
	assert_true(in > 0);
	assert_int_equal(q_push_end(&writer), 0);
	assert_int_equal(q_take(&q, 1000, UINT64_MAX, &r), 0);
	assert_int_equal(r.items, in);
	assert_int_equal(q_finish(&q, &r, r.to), 0);
	q_close(&q);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_mapping),
		cmocka_unit_test(end_of_positions),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(every_length),
		cmocka_unit_test(pages),
		cmocka_unit_test(power_cuts),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	alarm(120); /* a hang is a failure */
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
