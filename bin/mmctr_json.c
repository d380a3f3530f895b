/* JSON lines of mmctr: {"name":"hits","value":3}; "name_b64" in place of "name" where it is not UTF-8. */
#include "mmctr.h"
#include "out.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#define EXACT_MAX (INT64_C(1) << 53) /* what a reader with doubles still has exactly */

/* Length of the UTF-8 sequence at p (no overlong forms, no surrogates), 0 when it is none. */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	uint32_t v = len == 1 ? *p : *p & (0x7fU >> len);

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	return v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : len;
}

static bool
is_utf8(const char *s, size_t n)
{
	for (size_t i = 0, len; i < n; i += len)
		if (!(len = utf8_sequence((const unsigned char *)s + i, n - i)))
			return false;
	return true;
}

static void
base64(char *dst, const char *src, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)src;

	for (; n; p += 3, n -= n < 3 ? n : 3) {
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

		*dst++ = set[v >> 18];
		*dst++ = set[v >> 12 & 63];
		*dst++ = n > 1 ? set[v >> 6 & 63] : '=';
		*dst++ = n > 2 ? set[v & 63] : '=';
	}
	*dst = '\0';
}

static struct json_object *
number(const struct ctr_cmd *cmd, int64_t value)
{
	char text[24];

	if (!cmd->int64_string || (value <= EXACT_MAX && value >= -EXACT_MAX))
		return json_object_new_int64(value);
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return json_object_new_string(text);
}

int
ctr_print_json(const struct ctr_cmd *cmd, const char *name, size_t n, int64_t value)
{
	struct json_object *o = json_object_new_object();
	char b64[(CTR_NAME_MAX + 2) / 3 * 4 + 1];
	const char *text;
	int rc = -ENOMEM;

	if (!o)
		return rc;
	if (is_utf8(name, n))
		rc = json_object_object_add(o, "name", json_object_new_string_len(name, (int)n));
	else {
		base64(b64, name, n);
		rc = json_object_object_add(o, "name_b64", json_object_new_string(b64));
	}
	if (!rc)
		rc = json_object_object_add(o, "value", number(cmd, value));
	text = rc ? NULL : json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text && !(rc = out_str(text)))
		rc = out_write("\n", 1);
	json_object_put(o);
	return text ? rc : -ENOMEM;
}
