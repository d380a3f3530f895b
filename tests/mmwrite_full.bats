load helper

# What remains of FILE when there is no space: ulimit -f stands for a full disk where no file system can be mounted.

make_full() { # DIR SIZE: a tmpfs with 1 MiB free
	mkdir "$1"
	mount -t tmpfs -o size=4M none "$1" || skip "cannot mount"
	head -c 3M /dev/zero >"$1/filler"
}

teardown() {
	umount "$BATS_TEST_TMPDIR/mnt" 2>/dev/null || true
}

@test "known length, file-size limit: 73 and unchanged" {
	head -c 90000 /dev/urandom >f
	cp f was
	head -c 300000 /dev/urandom >in
	run_rc 73 bash -c 'ulimit -f 100; mmwrite -o 5000 f <in'
	cmp f was
	[[ "$stderr" == *"nothing was changed"* ]]
	expect_one_line_error
	run_rc 73 bash -c 'ulimit -f 100; mmwrite new <in'
	[ ! -e new ]
	run_rc 73 bash -c 'ulimit -f 100; mmwrite -o 200k f <<<x'
	cmp f was
}

@test "pipe, file-size limit: the new part is cut off, the old bytes are counted" {
	head -c 90000 /dev/zero >f
	head -c 300000 /dev/urandom >in
	run_rc 73 bash -c 'ulimit -f 100; cat in | mmwrite -o 89000 f'
	[ "$(stat -c %s f)" -eq 90000 ]
	[[ "$stderr" == *"cut off again, 1000 old bytes were changed, from byte 89000"* ]]
	cmp -n 1000 -i 89000:0 f in
	run_rc 73 bash -c 'ulimit -f 100; cat in | mmwrite new'
	[ ! -e new ]
}

@test "full tmpfs: known length unchanged, pipe cut, new file not there" {
	skip_unless root
	make_full mnt
	head -c 500000 /dev/urandom >mnt/f
	cp mnt/f was
	head -c 3000000 /dev/urandom >in
	run_rc 73 mmwrite -o 100 mnt/f <in
	cmp mnt/f was
	run_rc 73 mmwrite mnt/new <in
	[ ! -e mnt/new ]
	run_rc 73 bash -c 'cat in | mmwrite -o 400000 mnt/f'
	[ "$(stat -c %s mnt/f)" -eq 500000 ]
	cmp -n 400000 mnt/f was
	cmp -n 100000 -i 400000:0 mnt/f in
	run_rc 0 mmwrite mnt/f <was
	cmp mnt/f was
}

@test "full tmpfs: a hole in the old size is had before the first store" {
	skip_unless root
	make_full mnt
	truncate -s 8M mnt/f
	head -c 3000000 /dev/urandom >in
	run_rc 73 mmwrite mnt/f <in
	cmp -n 3000000 mnt/f /dev/zero
	[ "$(stat -c %s mnt/f)" -eq $((8 << 20)) ]
}

fs_full() { # TYPE SIZE OPTIONS
	skip_unless root "mkfs.$1"
	truncate -s "$2" img
	"mkfs.$1" -q img 2>/dev/null >&2
	mkdir mnt
	mount -o loop img mnt || skip "cannot mount $1"
	head -c 3000000 /dev/urandom >mnt/f
	cp mnt/f was
	[ -z "$3" ] || cp --reflink=always mnt/f mnt/twin || skip "no reflinks"
	dd if=/dev/zero of=mnt/filler bs=1M 2>/dev/null || true
	dd if=/dev/zero of=mnt/filler2 bs=4k 2>/dev/null || true
	sync -f mnt
	head -c 2000000 /dev/urandom >in
	# In place: all of it, or none.
	run mmwrite -o 10 mnt/f <in
	if [ "$status" -eq 0 ]; then
		cmp -n 2000000 -i 10:0 mnt/f in
		cp mnt/f was
	else
		[ "$status" -eq 73 ]
		cmp mnt/f was
	fi
	run_rc 73 mmwrite -o 2000000 mnt/f <in
	cmp mnt/f was
	run_rc 73 bash -c 'cat in | mmwrite -a mnt/f'
	cmp mnt/f was
}

@test "full ext4" {
	fs_full ext4 32M
}

@test "full btrfs: copy-on-write takes space for old bytes" {
	fs_full btrfs 128M
}

@test "full xfs, shared blocks" {
	fs_full xfs 300M reflink
}
