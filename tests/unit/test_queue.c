/*
 * The queue against a list in memory: pushes, takes, finishes (also of a part), pushes given up and consumers that die,
 * through several handles of one file, with the full check and a lock-free look after each few steps.
 */
#include "queue_unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define HANDLES 4
#define CONSUMERS 80 /* each handle reserves a TiB of addresses, of 128 */
#define STEPS 6000
#define ITEMS_MAX 200000

static char path[] = "/tmp/mmutils-queue-XXXXXX";
static uint64_t rnd;

/* The list; an item's seed is its id. */
static struct entry {
	uint64_t id, length;
	int owner; /* handle that has taken it, -1: ready */
} list[ITEMS_MAX];
static size_t count;
static uint64_t bytes;

static struct handle {
	struct queue q;
	struct q_range r;
	bool has_range;
} handles[HANDLES];

static struct queue viewer; /* read-only; takes no lock to look */
static struct q_writer writer;
static uint8_t payload[200 * 1024 + 1];

static void
setup(const struct q_config *config)
{
	rnd = UINT64_C(88172645463325252);
	count = bytes = 0;
	unlink(path);
	assert_int_equal(q_create(path, 0600, config), 0);
	for (int h = 0; h < HANDLES; h++) {
		handles[h].has_range = false;
		open_queue(&handles[h].q, path, true);
	}
	open_queue(&viewer, path, false);
}

static void
teardown(void)
{
	for (int h = 0; h < HANDLES; h++)
		q_close(&handles[h].q);
	q_close(&viewer);
	unlink(path);
}

/* Mostly small, now and then larger than a segment. */
static uint64_t
random_length(void)
{
	uint64_t kind = next_random(&rnd) % 100;

	return next_random(&rnd) % (kind < 5 ? 1 : kind < 80 ? 100 : kind < 95 ? 9000 : kind < 98 ? 70000 : sizeof(payload));
}

static int
put_random(uint64_t id, uint64_t length)
{
	int fd, rc;

	item_fill(payload, id, length);
	if (next_random(&rnd) % 4)
		return q_push_put(&writer, payload, length);
	fd = memfd_create("item", 0);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, payload, length, 5), (ssize_t)length);
	rc = q_push_file(&writer, fd, 5, length);
	close(fd);
	return rc;
}

static void
push(struct handle *h, bool abandon)
{
	uint64_t n = 1 + next_random(&rnd) % 5;

	assert_int_equal(q_push_begin(&h->q, &writer, 0), 0);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t id = h->q.s.next_id, length = random_length();

		assert_int_equal(put_random(id, length), 0);
		if (abandon)
			continue;
		list[count++] = (struct entry){ id, length, -1 };
		bytes += length;
	}
	if (abandon)
		q_push_abandon(&writer);
	else
		assert_int_equal(q_push_end(&writer), 0);
}

static size_t
next_ready(size_t i)
{
	while (i < count && list[i].owner >= 0)
		i++;
	return i;
}

static void
expect_item(struct queue *q, const struct q_state *s, struct q_item *item, size_t i)
{
	assert_true(i < count);
	assert_int_equal(item->id, list[i].id);
	assert_int_equal(item->length, list[i].length);
	assert_int_equal(q_verify(q, s, item), 0);
	assert_true(item_matches(q, s, item, item->id));
}

/* What comes are the oldest ready items, from one range, within the limits. */
static void
take(struct handle *h)
{
	uint64_t max = 1 + next_random(&rnd) % 8, max_bytes = next_random(&rnd) % 3 ? 1 << 20 : 10000, got = 0, sum = 0;
	struct q_item item;
	size_t i = next_ready(0);

	assert_int_equal(q_take(&h->q, max, max_bytes, &h->r), 0);
	assert_true(h->r.items ? i < count : i == count);
	assert_true(h->r.items <= max && (h->r.bytes <= max_bytes || h->r.items == 1));
	for (uint64_t at = h->r.from; h->r.items && at < h->r.to; at = item.end) {
		assert_int_equal(q_record(&h->q, &h->q.s, at, h->r.to, &item), 0);
		if (item.kind != Q_ITEM)
			continue;
		expect_item(&h->q, &h->q.s, &item, i);
		list[i].owner = (int)(h - handles);
		got++;
		sum += item.length;
		i = next_ready(i);
	}
	assert_int_equal(got, h->r.items);
	assert_int_equal(sum, h->r.bytes);
	h->has_range = got;
}

/* The first `gone` items of the handle leave, the others are ready again. */
static void
settle_list(int owner, uint64_t gone)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (list[i].owner == owner) {
			list[i].owner = -1;
			if (gone) {
				gone--;
				bytes -= list[i].length;
				continue;
			}
		}
		list[kept++] = list[i];
	}
	count = kept;
}

static void
finish(struct handle *h)
{
	uint64_t gone = next_random(&rnd) % 3 ? h->r.items : next_random(&rnd) % (h->r.items + 1), n = 0, done = h->r.from;
	struct q_item item;

	while (n < gone) {
		assert_int_equal(q_record(&h->q, &h->q.s, done, h->r.to, &item), 0);
		n += item.kind == Q_ITEM;
		done = item.end;
	}
	assert_int_equal(q_finish(&h->q, &h->r, gone == h->r.items ? h->r.to : done), 0);
	h->has_range = false;
	settle_list((int)(h - handles), gone);
}

/* The kernel drops a dead process's locks as it does those of a closed file. */
static void
die(struct handle *h)
{
	q_close(&h->q);
	open_queue(&h->q, path, true);
	h->has_range = false;
	settle_list((int)(h - handles), 0);
}

static void
look(void)
{
	struct queue *q = &viewer;
	static struct q_snapshot snap;
	struct q_item item;
	size_t i = next_ready(0), ready = 0;

	assert_int_equal(q_snapshot(q, &snap), 0);
	for (unsigned r = 0; r < snap.n; r++)
		for (uint64_t at = snap.ready[r].from; at < snap.ready[r].to; at = item.end) {
			assert_int_equal(q_record(q, &snap.s, at, snap.ready[r].to, &item), 0);
			if (item.kind != Q_ITEM)
				continue;
			expect_item(q, &snap.s, &item, i);
			i = next_ready(i + 1);
			ready++;
		}
	assert_int_equal(i, count);
	assert_int_equal(snap.s.ready, ready);
	assert_int_equal(q_items(&snap.s), count);
	assert_int_equal(snap.s.bytes, bytes);
}

static void
check(struct queue *q)
{
	unsigned findings = 0;

	assert_int_equal(lock_take(q->m.fd, LOCK_MAIN, false, LOCK_WAIT), 0);
	assert_int_equal(q_check(q, print_finding, &findings), 0);
	lock_drop(q->m.fd, LOCK_MAIN);
	assert_int_equal(findings, 0);
}

static void
step(unsigned push_share)
{
	struct handle *h = &handles[next_random(&rnd) % HANDLES];
	uint64_t what = next_random(&rnd) % 100;

	if (what < push_share && count < ITEMS_MAX - 8)
		push(h, what == 0);
	else if (what < 95)
		h->has_range ? finish(h) : take(h);
	else if (what < 98)
		die(h);
	else if (!(next_random(&rnd) % 4)) /* a flush is what is slow here */
		assert_int_equal(q_sync(&h->q), 0);
}

/* Growing and draining take turns, so that segments are used again and the tables meet every fill. */
static void
against_a_list(void **state)
{
	static const struct q_config config;

	(void)state;
	setup(&config);
	for (unsigned i = 0; i < STEPS; i++) {
		step(i / 500 % 2 ? 20 : 45);
		if (i % 16 == 0)
			check(&handles[i / 16 % HANDLES].q);
		if (i % 16 == 8)
			look();
	}
	teardown();
}

/* Returned ranges may lie anywhere, of consumers that live and of such that died: the order stays. */
static void
many_consumers(void **state)
{
	static struct queue consumers[CONSUMERS];
	static const struct q_config config;
	struct q_range r[CONSUMERS];

	(void)state;
	setup(&config);
	assert_int_equal(q_push_begin(&handles[0].q, &writer, 0), 0);
	for (uint64_t id = 1; id <= 2 * CONSUMERS; id++) {
		item_fill(payload, id, 10);
		assert_int_equal(q_push_put(&writer, payload, 10), 0);
		list[count++] = (struct entry){ id, 10, -1 };
		bytes += 10;
	}
	assert_int_equal(q_push_end(&writer), 0);
	for (unsigned i = 0; i < CONSUMERS; i++) {
		open_queue(&consumers[i], path, true);
		assert_int_equal(q_take(&consumers[i], 1, 1 << 20, &r[i]), 0);
		assert_int_equal(r[i].items, 1);
	}
	for (unsigned i = 0; i < CONSUMERS; i++) /* every third dies, the others give back, newest first */
		if (i % 3 == 0)
			q_close(&consumers[i]);
	for (unsigned i = CONSUMERS; i-- > 1;)
		if (i % 3) {
			assert_int_equal(q_finish(&consumers[i], &r[i], r[i].from), 0);
			q_close(&consumers[i]);
		}
	look();
	while (count) {
		take(&handles[2]);
		assert_true(handles[2].has_range);
		finish(&handles[2]);
	}
	check(&handles[3].q);
	teardown();
}

/* In a queue that may not grow a push fails and changes nothing; what is there can be had, and makes room again. */
static void
fixed_size(void **state)
{
	static const struct q_config config = { .flags = Q_FIXED_SIZE, .size = 4 << Q_SEG_SHIFT };
	int rc;

	(void)state;
	setup(&config);
	for (unsigned round = 0; round < 50; round++) {
		for (;;) {
			uint64_t length = next_random(&rnd) % 30000, id;

			assert_int_equal(q_push_begin(&handles[0].q, &writer, 0), 0);
			id = handles[0].q.s.next_id;
			item_fill(payload, id, length);
			rc = q_push_put(&writer, payload, length);
			if (rc)
				break;
			list[count++] = (struct entry){ id, length, -1 };
			bytes += length;
			assert_int_equal(q_push_end(&writer), 0);
		}
		assert_int_equal(rc, -ERR_FULL);
		if (round % 2)
			q_push_abandon(&writer);
		else
			assert_int_equal(q_push_end(&writer), 0); /* of what was put before: nothing */
		look();
		check(&handles[1].q);
		for (uint64_t n = 1 + next_random(&rnd) % 9; n && count; n--) {
			take(&handles[2]);
			if (handles[2].has_range)
				finish(&handles[2]);
		}
	}
	assert_int_equal(handles[0].q.s.capacity, 4 << Q_SEG_SHIFT);
	teardown();
}

/* A push that drops more than the queue holds, killed before its last commit: what is there is whole. */
static void
drop_and_die(void **state)
{
	struct q_config config = { .max_bytes = 150000, .flags = Q_DROP_OLDEST };

	(void)state;
	setup(&config);
	for (int round = 0; round < 8; round++) {
		assert_int_equal(q_push_begin(&handles[0].q, &writer, 0), 0);
		for (int i = 0; i < 300 + 41 * round; i++) {
			item_fill(payload, handles[0].q.s.next_id, 1000);
			assert_int_equal(q_push_put(&writer, payload, 1000), 0);
		}
		if (round % 2)
			q_push_abandon(&writer);
		else
			assert_int_equal(q_push_end(&writer), 0);
		check(&handles[1].q);
	}
	teardown();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_list),
		cmocka_unit_test(many_consumers),
		cmocka_unit_test(fixed_size),
		cmocka_unit_test(drop_and_die),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
