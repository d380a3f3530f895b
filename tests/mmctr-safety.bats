#!/usr/bin/env bats
# mmctr: concurrency, kills, full disks, damage, output that cannot be written.
load helper

@test "8 shells of 100 increments lose nothing" {
	local pids=() # a bare wait would wait for bats' own time-out job too
	for i in 1 2 3 4 5 6 7 8; do
		(for j in {1..100}; do mmctr inc f "n$((j % 7))" || echo bad >>failed; done >/dev/null) &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ ! -e failed ]
	[ "$(mmctr ls f | awk '{ s += $2 } END { print s }')" = 800 ]
	[ "$(mmctr ls f | wc -l)" = 7 ]
}

@test "results that cannot be printed: 74, the update is there" {
	mmctr set f n 1
	run bash -c 'mmctr get f n >/dev/full'
	[ "$status" = 74 ]
	run_rc 74 bash -c 'mmctr inc f n >/dev/full'
	expect_one_line_error 'the counter was changed'
	[ "$(mmctr get f n)" = 2 ]
	run bash -c 'mmctr inc f n >&-'
	[ "$status" = 74 ]
	[ "$(mmctr get f n)" = 3 ]
}

@test "closed standard descriptors never lead into the file" {
	mmctr set f n 1
	mmctr inc f n <&- >&- 2>&- || true
	[ "$(mmctr get f n)" = 2 ]
}

@test "a file-size limit is 73 and the old counters stay" {
	mmctr set f n 5
	(
		ulimit -f 32
		i=0
		while [ $i -lt 2000 ] && mmctr inc f "name$i" >/dev/null 2>err; do i=$((i + 1)); done
		mmctr inc f "name$i" >/dev/null 2>err || echo $? >code
		mmctr inc f n >/dev/null
	)
	[ "$(cat code)" = 73 ]
	[ "$(wc -l <err)" = 1 ]
	[ "$(mmctr get f n)" = 6 ]
	run_rc 0 mmctr inc f more
}

@test "a full file system is 73 and the old counters stay" {
	skip_unless root
	mkdir m
	mount -t tmpfs -o size=64k none m || skip "cannot mount a tmpfs"
	mmctr set m/f n 5
	i=0
	while [ $i -lt 2000 ] && mmctr inc m/f "name$i" >/dev/null 2>err; do i=$((i + 1)); done
	run mmctr inc m/f "name$i"
	code=$status
	value=$(mmctr inc m/f n)
	listed=$(mmctr ls m/f | wc -l)
	umount m
	[ "$code" = 73 ]
	[ "$value" = 6 ]
	[ "$listed" = $((i + 1)) ]
}

@test "--sync on a file system in memory is 69 before anything is changed" {
	skip_unless root
	mkdir m
	mount -t tmpfs -o size=1m none m || skip "cannot mount a tmpfs"
	run mmctr inc --sync m/f n
	first=$status made=$(ls m)
	mmctr set m/f n 1
	run mmctr inc --sync m/f n
	second=$status value=$(mmctr get m/f n)
	umount m
	[ "$first" = 69 ]
	[ -z "$made" ]
	[ "$second" = 69 ]
	[ "$value" = 1 ]
}

@test "truncated at any length: 65 or right, never a signal" {
	for i in {1..20}; do mmctr set f "n$i" 1; done
	cp f whole
	size=$(stat -c %s whole)
	for cut in 0 1 63 64 100 511 4096 8191 8200 16384 $((size - 1)); do
		head -c $cut whole >f
		run_rc 65 mmctr get f n7
		expect_one_line_error
		run_rc 65 mmctr inc f n7
	done
}

@test "a damaged name is reported with its offset, others stay usable" {
	mmctr set f aaaa 1
	mmctr set f bbbb 2
	at=$(grep -obUa bbbb f | head -n 1 | cut -d: -f1)
	printf 'X' | dd of=f bs=1 seek="$at" conv=notrunc status=none
	run_rc 0 mmctr get f aaaa
	[ "$output" = 1 ]
	run_rc 65 mmctr get f bbbb
	expect_one_line_error "byte $at"
	run_rc 65 mmctr ls f
	[ "$output" = $'aaaa\t1' ]
	expect_one_line_error "byte $at"
}

@test "a copy keeps its counters and takes new ones" {
	for i in {1..400}; do echo "n$i"; done | while read -r n; do mmctr set f "$n" 1; done
	cp f g
	run_rc 0 mmctr inc g n17
	[ "$output" = 2 ]
	run_rc 0 mmctr inc g new
	[ "$output" = 1 ]
	[ "$(mmctr ls g | wc -l)" = 401 ]
	[ "$(mmctr get f n17)" = 1 ]
}

@test "read-only files can be read, and say so when written" {
	skip_unless linux-user
	mmctr set f n 1
	chmod 444 f
	chmod 755 .
	run_rc 0 setpriv --reuid=65534 --clear-groups mmctr get f n
	[ "$output" = 1 ]
	run_rc 1 setpriv --reuid=65534 --clear-groups mmctr get f absent
	run_rc 77 setpriv --reuid=65534 --clear-groups mmctr inc f n
	expect_one_line_error
}

@test "a held lock is waited for so long, then 75; existing counters need none" {
	skip_unless python3
	mmctr set f n 1
	python3 -c '
import fcntl, struct, sys
f = open("f", "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 62, 1, 0))
open("held", "w").close()
sys.stdin.read()' < <(sleep 5) 3>&- &
	wait_until 5 test -e held
	run_rc 75 mmctr inc --lock-timeout=100ms f new
	expect_one_line_error 'holds the lock'
	run_rc 0 mmctr inc f n
	kill $!
	run_rc 0 mmctr inc f new
}
