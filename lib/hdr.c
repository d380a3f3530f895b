#include "hdr.h"
#include "hash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint32_t
checksum(const struct hdr *h)
{
	return hash32(h, offsetof(struct hdr, check), 0);
}

int
hdr_init(struct hdr *h, enum hdr_kind kind, uint32_t header_size, uint32_t param)
{
	struct timespec now;

	*h = (struct hdr){
		.magic = HDR_MAGIC,
		.version = HDR_VERSION,
		.kind = kind,
		.header_size = header_size,
		.param = param,
	};
	clock_gettime(CLOCK_REALTIME, &now);
	h->created = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (getrandom(h->uuid, sizeof(h->uuid), 0) != sizeof(h->uuid))
		return -errno;
	h->check = checksum(h);
	return 0;
}

int
hdr_decode(const void *p, uint64_t n, enum hdr_kind kind, bool writing, struct hdr *h, struct err_at *at)
{
	struct hdr copy;

	if (!n)
		return -ERR_EMPTY;
	if (n < sizeof(copy))
		return -ERR_KIND;
	memcpy(&copy, p, sizeof(copy));
	if (memcmp(copy.magic, HDR_MAGIC, HDR_MAGIC_SIZE))
		return -ERR_KIND;
	if (copy.check != checksum(&copy))
		return err_damaged(at, offsetof(struct hdr, check), "header checksum does not match");
	/* From here on the bytes are what a program of this toolkit wrote. */
	if (kind && copy.kind != kind)
		return -ERR_KIND;
	if (copy.version != HDR_VERSION)
		return -ERR_VERSION;
	if (copy.incompat || (writing && copy.ro_compat))
		return -ERR_FEATURE;
	*h = copy;
	return 0;
}

int
hdr_read(struct map *m, enum hdr_kind kind, struct hdr *h)
{
	struct hdr raw;
	ssize_t n = pread(m->fd, &raw, sizeof(raw), 0);

	if (n < 0)
		return -errno;
	return hdr_decode(&raw, (uint64_t)n, kind, m->writable, h, &m->at);
}
