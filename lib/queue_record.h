/* What pushing and reading must agree on. */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include "queue_format.h"

/*
 * The check of a record at position pos: low half of XXH3-64 over position, id, time, flags, ext8 and length
 * of its head and the XXH3-64 `body` of its extensions and payload. The position makes a record of an earlier
 * lap invalid where it lies.
 */
uint32_t q_record_check(uint64_t pos, const struct q_record *r, uint64_t body);

#endif
