/*
 * Space: pages by bumping, lines within slot and extension pages by bumping. Nothing is ever given back.
 *
 * Killed anywhere, a page or a line is either free or taken by nobody (a leak that check counts), never taken twice:
 * the cursor moves before what it passed is used by anything that others can see.
 */
#include "ctr_impl.h"
#include "hash.h"
#include "seam.h"

#include <errno.h>
#include <string.h>

#define GROW_MAX (UINT64_C(64) << 20)

void
ctr_page_fill(struct ctr_page *p, const uint8_t uuid[16], enum ctr_page_type type, uint64_t off)
{
	*p = (struct ctr_page){ .magic = CTR_PAGE_MAGIC, .type = type, .self = off };
	memcpy(p->uuid, uuid, sizeof(p->uuid));
	p->check = hash32(p, offsetof(struct ctr_page, check), 0);
}

bool
ctr_page_is(struct ctr *c, uint64_t off, enum ctr_page_type type)
{
	struct ctr_page want;

	ctr_page_fill(&want, ctr_file(c)->hdr.uuid, type, off);
	return !memcmp(ctr_at(c, off), &want, sizeof(want));
}

/*
 * The new size is on the disk before the capacity that names it: a capacity beyond the end of file is
 * therefore never an accident of a power cut. A failed fallocate may have grown the file; only capacity counts.
 */
static int
grow(struct ctr *c, uint64_t capacity, uint64_t need)
{
	uint64_t step = capacity < GROW_MAX ? capacity : GROW_MAX;
	uint64_t want = capacity + step > need ? capacity + step : need;
	int rc;

	rc = map_grow(&c->map, capacity, want);
	if (rc && want > need) {
		want = need; /* less may still fit */
		rc = map_grow(&c->map, capacity, want);
	}
	if (!rc)
		/* Nothing was done yet: not "done, but". What a failed flush lost is stored again. */
		rc = SEAM("ctr-growth-sync", ctr_sync(c), 0) ? -EIO : 0;
	if (!rc)
		ctr_publish(&ctr_file(c)->capacity, seal(want));
	return rc;
}

/* Takes `count` pages. Their content is whatever an interrupted creation left: the caller writes all of them. */
int
ctr_pages(struct ctr *c, uint64_t count, uint64_t *off)
{
	struct ctr_file *f = ctr_file(c);
	uint64_t capacity, next, end;
	int rc;

	rc = ctr_sealed(c, &f->capacity, "capacity", &capacity);
	if (!rc)
		rc = ctr_sealed(c, &f->space_next, "page cursor", &next);
	if (rc)
		return rc;
	if (next % CTR_PAGE || next <= CTR_FIRST_SLOTS || next > capacity)
		return err_damaged(&c->map.at, offsetof(struct ctr_file, space_next), "page cursor");
	end = next + count * CTR_PAGE;
	rc = end > capacity ? grow(c, capacity, end) : ctr_reach(c, next, end - next);
	if (!rc)
		rc = map_ready(&c->map, next, end - next);
	if (rc)
		return rc;
	ctr_publish(&f->space_next, seal(end));
	*off = next;
	return 0;
}

static uint64_t *
cursor(struct ctr *c, enum ctr_page_type type)
{
	return type == CTR_PAGE_SLOTS ? &ctr_file(c)->slot_next : &ctr_file(c)->ext_next;
}

static int
new_page(struct ctr *c, enum ctr_page_type type, uint64_t *at)
{
	uint64_t off;
	int rc = ctr_pages(c, 1, &off);

	if (rc)
		return rc;
	/* Descending, as in ctr_slot_new(): an old slot's first word goes last. */
	for (uint64_t line = CTR_PAGE; line; line -= CTR_LINE)
		memset(ctr_at(c, off + line - CTR_LINE), 0, CTR_LINE);
	ctr_page_fill(ctr_at(c, off), ctr_file(c)->hdr.uuid, type, off);
	*at = off + CTR_LINE;
	ctr_publish(cursor(c, type), seal(*at));
	return 0;
}

/* Where `lines` lines fit; slots within one sector. Taken by ctr_lines_taken() when they are filled. */
int
ctr_lines(struct ctr *c, enum ctr_page_type type, unsigned lines, uint64_t *off)
{
	uint64_t unit = type == CTR_PAGE_SLOTS ? CTR_SECTOR : CTR_PAGE, at, end;
	int rc = ctr_sealed(c, cursor(c, type), type == CTR_PAGE_SLOTS ? "slot cursor" : "extension cursor", &at);

	if (rc)
		return rc;
	if (at % CTR_PAGE) {
		uint64_t page = at - at % CTR_PAGE;

		rc = at % CTR_LINE ? -ERR_TRUNCATED : ctr_reach(c, page, CTR_PAGE);
		if (rc || !ctr_page_is(c, page, type))
			return err_damaged(&c->map.at, ctr_off(c, cursor(c, type)), "cursor leads to no such page");
		end = at + (uint64_t)lines * CTR_LINE;
		if (at / unit != (end - 1) / unit)
			at = (at / unit + 1) * unit;
	}
	if (at % CTR_PAGE == 0)
		rc = new_page(c, type, &at);
	if (!rc)
		rc = map_ready(&c->map, at, (uint64_t)lines * CTR_LINE);
	*off = at;
	return rc;
}

void
ctr_lines_taken(struct ctr *c, enum ctr_page_type type, uint64_t end)
{
	ctr_publish(cursor(c, type), seal(end));
}
