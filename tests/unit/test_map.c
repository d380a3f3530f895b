/*
 * The mapping layer: created whole or not at all, opened only where it is safe, growing in place, and every way to be
 * without space or address range ends in a number. Rows that need root or tmpfs are skipped without them.
 */
#include "unit.h"

#include "map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/mmutils-map-XXXXXX";

static int
nothing(struct map *m, void *arg)
{
	(void)m;
	(void)arg;
	return 0;
}

static int
refuse(struct map *m, void *arg)
{
	(void)m;
	(void)arg;
	return -EDOM;
}

static int
stamp(struct map *m, void *arg)
{
	/* Not yet there: nobody may see half a file. */
	assert_int_equal(access(arg, F_OK), -1);
	return map_pwrite(m, "stamp", 5, 0);
}

static struct map
made(const char *path, uint64_t size)
{
	struct map m;

	unlink(path);
	assert_int_equal(map_create(&m, path, 0600, size, nothing, NULL), 0);
	return m;
}

static int
opens(const char *path, unsigned flags)
{
	struct map m;
	int rc = map_open(&m, path, flags);

	if (rc)
		assert_int_equal(m.fd, -1);
	map_close(&m);
	return rc;
}

/* Runs fn in a child, so that limits and signals are its own; 0 when it returned 0. */
static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGSEGV, SIG_DFL); /* cmocka catches it to go on with the next test */
		signal(SIGBUS, SIG_DFL);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static unsigned
entries(void)
{
	DIR *d = opendir(".");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void
created_whole(void **state)
{
	struct map m;
	struct stat st;
	char name[] = "whole";

	(void)state;
	assert_int_equal(map_create(&m, name, 0600, 8192, stamp, name), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 8192);
	assert_true(st.st_blocks * 512 >= 8192);
	assert_true(m.writable && m.ino == st.st_ino);
	map_close(&m);
	assert_int_equal(map_create(&m, name, 0600, 8192, nothing, NULL), -EEXIST);
	assert_int_equal(m.fd, -1);
	assert_int_equal(unlink(name), 0);
}

static void
failed_creation_leaves_nothing(void **state)
{
	struct map m;
	unsigned before = entries();

	(void)state;
	assert_int_equal(map_create(&m, "fails", 0600, 4096, refuse, NULL), -EDOM);
	assert_int_equal(m.fd, -1);
	assert_int_equal(entries(), before);
	assert_int_equal(map_create(&m, "no/such/dir", 0600, 4096, nothing, NULL), -ERR_NO_PARENT);
	assert_int_equal(map_create(&m, "slash/", 0600, 4096, nothing, NULL), -EISDIR);
	assert_int_equal(entries(), before);
}

static void
mode_is_exact(void **state)
{
	static const mode_t modes[] = { 0600, 0644, 0666, 0777, 0640, 0400, 0000 };
	mode_t old = umask(077);

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct stat st;
		struct map m;

		assert_int_equal(map_create(&m, "mode", modes[i], 4096, nothing, NULL), 0);
		assert_int_equal(fstat(m.fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		map_close(&m);
		unlink("mode");
	}
	umask(old);
}

static void
creates_through_a_dangling_link(void **state)
{
	struct map m;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	assert_int_equal(symlink("target", "sub/link"), 0);
	assert_int_equal(map_create(&m, "sub/link", 0600, 4096, nothing, NULL), 0);
	map_close(&m);
	assert_true(!lstat("sub/target", &st) && S_ISREG(st.st_mode));
	assert_true(!lstat("sub/link", &st) && S_ISLNK(st.st_mode));
	assert_int_equal(opens("sub/link", MAP_RW | MAP_STORE), 0); /* my own link in my own directory */
}

static void
refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	for (unsigned flags = 0; flags < 4; flags++) {
		/* Must not hang on the FIFO either. */
		assert_true(opens("fifo", flags) == -ERR_NOT_REGULAR);
		assert_int_equal(opens("d", flags), -EISDIR);
		assert_int_equal(opens("/dev/null", flags), -ERR_NOT_REGULAR);
		assert_int_equal(opens("loop", flags), -ELOOP);
		assert_int_equal(opens("none", flags), -ENOENT);
	}
}

/* /tmp in small: what another user may have put there is not believed. */
static void
sticky_directories(void **state)
{
	struct map m;
	int fd;

	(void)state;
	assert_int_equal(mkdir("tmp", 0700), 0);
	assert_int_equal(chmod("tmp", 01777), 0);
	m = made("tmp/mine", 4096);
	map_close(&m);
	assert_int_equal(opens("tmp/mine", MAP_RW | MAP_STORE), 0);
	assert_int_equal(symlink("mine", "tmp/link"), 0);
	assert_int_equal(opens("tmp/link", MAP_RW | MAP_STORE), -ERR_LINK);
	assert_int_equal(opens("tmp/link", MAP_RW), 0);
	assert_int_equal(link("tmp/mine", "tmp/second"), 0);
	assert_int_equal(opens("tmp/second", MAP_RW | MAP_STORE), -ERR_OWNER);
	if (geteuid())
		return;
	fd = open("tmp/theirs", O_CREAT | O_RDWR, 0666);
	assert_int_equal(fchown(fd, 1234, 1234), 0);
	close(fd);
	assert_int_equal(opens("tmp/theirs", MAP_STORE), -ERR_OWNER);
	assert_int_equal(opens("tmp/theirs", 0), 0);
	assert_int_equal(symlink("tmp/mine", "foreign"), 0);
	assert_int_equal(lchown("foreign", 1234, 1234), 0);
	assert_int_equal(opens("foreign", MAP_STORE), -ERR_LINK);
	assert_int_equal(opens("foreign", 0), 0);
}

/* Growth by one mapping is reachable in another, at the same address, without a call. */
static void
growth_is_seen(void **state)
{
	struct map a = made("grow", 4096), b;

	(void)state;
	assert_int_equal(map_open(&b, "grow", MAP_STORE), 0);
	assert_int_equal(map_view(&a, 4096), 0);
	assert_int_equal(map_view(&b, 4096), 0);
	assert_int_equal(map_grow(&a, 4096, 1 << 20), 0);
	assert_int_equal(a.size, 1 << 20);
	a.base[(1 << 20) - 1] = 42;
	assert_int_equal(b.base[(1 << 20) - 1], 42);
	assert_int_equal(b.size, 4096);
	assert_int_equal(map_refresh(&b), 0);
	assert_int_equal(b.size, 1 << 20);
	assert_int_equal(map_grow(&a, 1 << 20, UINT64_MAX), -EFBIG);
	assert_int_equal(map_grow(&a, 2 << 20, 1 << 20), -EFBIG);
	assert_int_equal(map_grow(&a, 1 << 20, a.reserve + 1), -ENOMEM);
	map_close(&a);
	map_close(&b);
}

static void
replaced_file(void **state)
{
	struct map m = made("old", 4096), other;

	(void)state;
	assert_int_equal(map_current(&m), 0);
	other = made("new", 4096);
	map_close(&other);
	assert_int_equal(rename("new", "old"), 0);
	assert_int_equal(map_current(&m), -ERR_REPLACED);
	unlink("old");
	assert_int_equal(map_current(&m), -ERR_REPLACED);
	map_close(&m);
}

static void
ready_pages(void **state)
{
	struct map m = made("ready", 64 * 1024);

	(void)state;
	assert_int_equal(map_view(&m, 64 * 1024), 0);
	assert_int_equal(map_ready(&m, 5, 64 * 1024 - 5), 0);
	assert_int_equal(ftruncate(m.fd, 4096), 0); /* another program cut it */
	assert_int_equal(map_ready(&m, 8192, 100), -ERR_SHRUNK);
	assert_int_equal(map_ready(&m, 0, 4096), 0);
	map_close(&m);
}

static int
redirty_read_only(void)
{
	struct map m = made("dirty", 8192);

	if (map_view(&m, 8192) || mprotect(m.base + 4096, 4096, PROT_READ))
		return 1;
	map_redirty(&m, 0, 4096);
	map_redirty(&m, 4100, 1);
	return 0;
}

/* A redirty that does not store is a sync that lies; a page that cannot be stored to tells. */
static void
redirty_stores(void **state)
{
	struct map m = made("dirty2", 8192);
	int status = in_child(redirty_read_only);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_int_equal(map_view(&m, 8192), 0);
	memset(m.base, 0xa7, 8192);
	map_redirty(&m, 0, 8192);
	for (unsigned i = 0; i < 8192; i++)
		assert_int_equal(m.base[i], 0xa7);
	map_close(&m);
}

static int
limited_file_size(void)
{
	struct rlimit lim = { 1 << 16, 1 << 16 };
	struct map m = made("limit", 4096);

	if (map_guard(NULL) || setrlimit(RLIMIT_FSIZE, &lim))
		return 1;
	if (map_grow(&m, 4096, 1 << 20) != -EFBIG)
		return 2;
	if (map_pwrite(&m, "x", 1, 1 << 20) != -EFBIG)
		return 3;
	return map_grow(&m, 4096, 1 << 16) ? 4 : 0;
}

static void
file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(limited_file_size), 0);
}

static int
limited_address_space(void)
{
	struct rlimit lim = { 64 << 20, 64 << 20 };
	struct map m = made("space", 1 << 20), big = made("space2", 1 << 20);

	if (setrlimit(RLIMIT_AS, &lim))
		return 1;
	if (map_view(&m, 1 << 20) || m.reserve < 1 << 20 || m.reserve > 64 << 20)
		return 2;
	m.base[(1 << 20) - 1] = 1;
	return map_view(&big, 128 << 20) == -ENOMEM && !big.base ? 0 : 3;
}

static void
address_space_limit(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* the sanitizer's own address range is beyond any limit */
#endif
	assert_int_equal(in_child(limited_address_space), 0);
}

static int
on_full_tmpfs(void)
{
	struct map m, other;
	struct stat st;

	if (map_create(&m, "full/a", 0600, 64 << 10, nothing, NULL) || map_view(&m, 64 << 10))
		return 1;
	if (map_grow(&m, 64 << 10, 8 << 20) != -ENOSPC || m.size != 64 << 10)
		return 2;
	if (map_create(&other, "full/b", 0600, 8 << 20, nothing, NULL) != -ENOSPC || !stat("full/b", &st))
		return 3;
	memset(m.base, 1, 64 << 10); /* what was reserved is still there */
	if (map_can_sync(&m) != -ERR_VOLATILE)
		return 4;
	/* A hole that cannot be filled: told, not a signal. */
	if (ftruncate(m.fd, 8 << 20) || map_ready(&m, 64 << 10, 4 << 20) != -ENOSPC)
		return 5;
	return 0;
}

static void
full_disk(void **state)
{
	int status;

	(void)state;
	assert_int_equal(mkdir("full", 0700), 0);
	if (mount("tmpfs", "full", "tmpfs", 0, "size=1m")) {
		print_message("# needs root to mount a tmpfs\n");
		skip();
	}
	status = in_child(on_full_tmpfs);
	assert_int_equal(umount2("full", MNT_DETACH), 0);
	assert_int_equal(status, 0);
}

static int
start(void **state)
{
	(void)state;
	return !mkdtemp(dir) || chdir(dir);
}

static int
clean(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") || system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created_whole), cmocka_unit_test(failed_creation_leaves_nothing),
		cmocka_unit_test(mode_is_exact), cmocka_unit_test(creates_through_a_dangling_link),
		cmocka_unit_test(refuses_what_is_no_file), cmocka_unit_test(sticky_directories),
		cmocka_unit_test(growth_is_seen), cmocka_unit_test(replaced_file), cmocka_unit_test(ready_pages),
		cmocka_unit_test(redirty_stores), cmocka_unit_test(file_size_limit), cmocka_unit_test(address_space_limit),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, start, clean);
}
