load helper

# What mmq refuses, what it survives, and that nothing is lost by it.

teardown() {
	umount "$BATS_TEST_TMPDIR/mnt" 2>/dev/null || true
}

# Every verb that needs a file, with what it is called.
on_each_verb() { # CODE FILE
	local verb

	for verb in pop peek len stat check "push --no-create"; do
		# shellcheck disable=SC2086 # words on purpose
		run_rc "$1" mmq $verb "$2" <<<item
		[ -z "$output" ]
		expect_one_line_error
	done
}

@test "a missing file is 66 and is not made" {
	on_each_verb 66 q
	on_each_verb 66 no/such/dir
	[ ! -e q ]
	run_rc 73 mmq push no/such/dir a
	expect_one_line_error
}

@test "directory, FIFO and device are 77, at once" {
	mkdir dir
	mkfifo fifo
	on_each_verb 77 dir
	on_each_verb 77 fifo
	on_each_verb 77 /dev/null
	run_rc 77 mmq push fifo a
	run_rc 77 mmq init dir
	run_rc 77 mmq init fifo
}

@test "not a queue: 65, and the bytes stay" {
	: >empty
	head -c 200000 /dev/urandom >random
	head -c 200000 /dev/zero >zeros
	echo text >text
	local f

	for f in empty random zeros text; do
		cp "$f" was
		on_each_verb 65 "$f"
		run_rc 65 mmq push "$f" a
		run_rc 65 mmq init "$f"
		cmp "$f" was
	done
}

@test "cut short: 65, and the bytes stay" {
	seq 20000 | mmq push q
	local n

	for n in 1 63 64 511 4096 65535 65536 100000 131072; do
		head -c "$n" q >"cut"
		cp cut was
		on_each_verb 65 cut
		cmp cut was
	done
}

# Headers as hdr_init() makes them, of version 9 and with feature bit 30; the last four bytes are their checks.
header_of_version_9() {
	printf '%b' '\x89\x4d\x4d\x55\x0d\x0a\x1a\x0a\x09\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00' \
		'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00' \
		'\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x60\xad\xdb\xbf'
}

header_of_feature_30() {
	printf '%b' '\x89\x4d\x4d\x55\x0d\x0a\x1a\x0a\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00' \
		'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00' \
		'\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x5e\x1f\x9f\xd1'
}

@test "a version or a feature of the future is 78, and the bytes stay" {
	local what

	for what in version_9 feature_30; do
		mmq push q a
		"header_of_$what" | dd of=q conv=notrunc status=none
		cp q was
		on_each_verb 78 q
		run_rc 78 mmq push q b
		run_rc 78 mmq init q
		cmp q was
		rm q
	done
}

@test "a damaged header is 65 with the offset" {
	mmq push q a
	printf '\11' | dd of=q bs=1 seek=20 conv=notrunc status=none
	cp q was
	on_each_verb 65 q
	[[ $stderr == *"at byte 60"* ]]
	cmp q was
}

@test "a damaged item: those before it come, it is reported with its offset and stays" {
	mmq push q first second third
	local at

	at=$(grep -abo second q | cut -d: -f1)
	printf 'S' | dd of=q bs=1 seek="$at" conv=notrunc status=none
	run_rc 65 mmq pop --all q
	expect_output first
	expect_one_line_error "at byte $((at - 32)).*stay"
	run_rc 65 mmq check q
	[[ $output == "$((at - 32))"$'\t'record-check$'\t'* ]]
	run_rc 65 mmq check --json q
	[[ $output == '{"offset":'$((at - 32))',"code":"record-check","message":"'* ]]
	run_rc 65 mmq peek q
	[ "$(mmq len q)" -eq 2 ]
}

@test "someone else's file or link in a sticky directory is 77" {
	skip_unless linux-user
	chmod 755 . "$BATS_TEST_TMPDIR"
	mkdir -m 1777 sticky
	mmq push sticky/mine a
	ln -s mine sticky/mylink
	mmq push q a
	setpriv --reuid=12345 --regid=12345 --clear-groups ln -s ../q sticky/link
	setpriv --reuid=12345 --regid=12345 --clear-groups mmq push sticky/theirs a ||
		skip "the program cannot be run by another user here"
	cp q was
	run_rc 77 mmq pop sticky/link
	expect_one_line_error link
	run_rc 77 mmq push sticky/link b
	run_rc 77 mmq pop sticky/theirs
	expect_one_line_error sticky
	cmp q was
	run_rc 0 mmq pop sticky/mine
}

@test "permission denied is 77" {
	skip_unless linux-user
	chmod 755 . "$BATS_TEST_TMPDIR"
	mmq push q a
	setpriv --reuid=12345 --regid=12345 --clear-groups mmq --version >/dev/null ||
		skip "the program cannot be run by another user here"
	run_rc 77 setpriv --reuid=12345 --regid=12345 --clear-groups mmq pop q
	expect_one_line_error
}

@test "file-size limit: 73, what was pushed stays and can be popped" {
	run bash -c 'ulimit -f 200; seq 100000 | mmq push q'
	[ "$status" -eq 73 ]
	[[ $stderr == "" ]]
	local n

	n=$(mmq len q)
	[ "$n" -gt 1000 ]
	[[ $output == *"; $n items were pushed before"* ]]
	mmq pop --all q | cmp - <(seq "$n")
	run_rc 73 bash -c 'ulimit -f 10; mmq push new a'
	[ ! -e new ]
}

@test "full disk: 73, every old item can be popped, and room comes back" {
	skip_unless root
	mkdir mnt
	mount -t tmpfs -o size=2M none mnt || skip "cannot mount"
	run bash -c 'seq 1000000 | mmq push mnt/q'
	[ "$status" -eq 73 ]
	[ -z "$(find mnt -type f ! -name q)" ]
	local n

	n=$(mmq len mnt/q)
	[ "$n" -gt 10000 ]
	run_rc 0 mmq check mnt/q
	mmq pop -n "$((n - 1))" mnt/q | cmp - <(seq "$((n - 1))")
	seq 1000 | mmq push mnt/q
	mmq pop --all mnt/q | cmp - <(echo "$n"; seq 1000)
	head -c 2M /dev/zero >mnt/filler || true
	run_rc 73 mmq push mnt/new a
	[ ! -e mnt/new ]
}

@test "output to a full disk or a closed descriptor: 74 and nothing left the queue" {
	seq 5 | mmq push q
	local verb

	for verb in pop "pop --all" peek "peek --all" len stat "stat --json"; do
		run_rc 74 bash -c "mmq $verb q >/dev/full"
		expect_one_line_error "standard output"
		run_rc 74 bash -c "mmq $verb q >&-"
		expect_one_line_error "standard output"
	done
	run_rc 74 bash -c "mmq push --id q 6 >/dev/full"
	expect_one_line_error "items are in the queue"
	mmq pop --all q | cmp - <(seq 6)
	run_rc 0 mmq check q
}

# Every item exactly once: what the reader had, then what is left, is all of it.
@test "a reader that goes away: what it did not take comes out later, each item once" {
	local n=200000

	seq $n | mmq push q
	for _ in 1 2 3; do
		run bash -c 'mmq pop --all q | { head -c 70000; exec <&-; } >"part"; exit "${PIPESTATUS[0]}"'
		[ "$status" -eq 141 ]
		run_rc 0 mmq check q
	done
	run bash -c 'mmq pop --all q | head -n 1; echo "${PIPESTATUS[0]}"'
	[ "${lines[1]}" = 141 ]
	# A pipe may hold more than its reader took; nothing but that is gone, and order stays.
	mmq pop --all q >rest
	sort -n -u -c rest
	[ "$(tail -n 1 rest)" = $n ]
	[ "$(wc -l <rest)" -gt $((n - 100000)) ]
	[ $((n - $(head -n 1 rest) + 1)) -eq "$(wc -l <rest)" ]
}

@test "a small pop into a closed pipe loses nothing" {
	seq 10 | mmq push q
	run bash -c 'mmq pop --all q | true; exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 0 ] || [ "$status" -eq 141 ]
	mkfifo fifo
	mmq pop --all q >/dev/null || true
	seq 10 | mmq push q
	exec 5<>fifo
	exec 6>fifo 5<&-
	run bash -c 'mmq pop --all q >&6'
	[ "$status" -eq 141 ]
	exec 6>&-
	mmq pop --all q | cmp - <(seq 10)
}

@test "SIGPIPE ignored: 74 with a message, and nothing lost" {
	seq 10 | mmq push q
	mkfifo fifo
	exec 5<>fifo
	exec 6>fifo 5<&-
	run_rc 74 bash -c 'trap "" PIPE; mmq pop --all q >&6'
	expect_one_line_error "back in the queue"
	run_rc 74 bash -c 'trap "" PIPE; mmq peek --all q >&6'
	exec 6>&-
	mmq pop --all q | cmp - <(seq 10)
}

@test "--sync on a file system in memory is 69" {
	skip_unless root
	mkdir mnt
	mount -t tmpfs none mnt || skip "cannot mount"
	run_rc 0 mmq push mnt/q a
	run_rc 69 mmq push --sync mnt/q b
	expect_one_line_error
	run_rc 69 mmq pop --sync mnt/q
	[ "$(mmq len mnt/q)" -eq 1 ]
}

@test "check whose list of damages meets a full disk says so" {
	mmq init --size=120M q
	tr '\0' U </dev/zero | dd of=q bs=1 seek=32768 count=16384 conv=notrunc status=none
	run_rc 74 bash -c "mmq check --json q >/dev/full"
	expect_one_line_error "standard output"
}

@test "a queue that outgrows a limited address space under a pop: no crash, nothing lost" {
	local got i

	(ulimit -v 40000 && mmq --version) >/dev/null 2>&1 || skip "this build needs more addresses (sanitizers)"
	yes "$(printf '%080d' 7)" | head -n 20000 | tee lines | mmq push q
	mkfifo fifo
	exec 7<>fifo
	(ulimit -v 40000 && exec mmq pop -n 1000000 q >fifo 2>err 7>&-) &
	popper=$!
	taken() { [ "$(mmq len q)" -lt 20000 ]; }
	wait_until 10 taken
	for ((i = 0; i < 20; i++)); do mmq push q <lines; done
	exec 8<fifo # before 7 goes: a pipe without a reader ends the pop
	exec 7>&-
	cat <&8 >out &
	holder=$!
	exec 8<&-
	wait "$popper" && got=0 || got=$?
	wait "$holder"
	[ "$got" -lt 128 ]
	[ $(($(wc -l <out) + $(mmq len q))) -ge 420000 ]
	run_rc 0 mmq check q
}
