#!/usr/bin/env bats
# mmalloc-inspect on files that are no heaps, on wrong input, and on output that fails.
load helper

@test "summary names emmap's files" {
	local f want

	while read -r f want; do
		run_rc 0 mmalloc-inspect "$(fixture "emmap/$f.emmap")"
		[ "${lines[0]}" = "kind	$want" ]
		run_rc 0 mmalloc-inspect summary --json "$(fixture "emmap/$f.emmap")"
		[[ $output == "{\"kind\":\"$want\",\"file_size\":"* ]]
	done <<-EOT
		counters8 emmap counters
		counters1 emmap counters
		queue20pop5 emmap queue
		queue_drained_unpurged emmap queue
		queue_empty_fresh emmap queue
		queue_uncommitted emmap queue
		blocks8 emmap blocks
	EOT
}

@test "a file that is no heap is 65 for the other verbs" {
	local v

	for v in ls check; do
		run_rc 65 mmalloc-inspect "$v" "$(fixture emmap/counters8.emmap)"
		expect_one_line_error
	done
}

@test "random bytes, text and an empty file are 65" {
	head -c 5000 /dev/urandom >random
	echo hello >text
	: >empty
	local f v

	for f in random text empty; do
		for v in summary ls check; do
			run_rc 65 mmalloc-inspect "$v" "$f"
			expect_one_line_error "$f"
		done
	done
}

@test "missing 66, directory and FIFO 77" {
	mkdir dir
	mkfifo fifo
	run_rc 66 mmalloc-inspect missing
	expect_one_line_error missing
	run_rc 77 mmalloc-inspect check dir
	expect_one_line_error dir
	run_rc 77 timeout 5 mmalloc-inspect ls fifo
	expect_one_line_error fifo
}

@test "usage: no file, two files, an unknown option are 64" {
	run_rc 64 mmalloc-inspect
	run_rc 64 mmalloc-inspect frobnicate a
	run_rc 66 mmalloc-inspect check # one operand is always FILE
	run_rc 64 mmalloc-inspect ls --frob a
	run_rc 0 mmalloc-inspect ls --help
}

@test "an unreadable file is 77" {
	skip_unless linux-user
	: >f
	chmod 000 f
	chmod 755 .
	run_rc 77 setpriv --reuid=65534 --clear-groups "$MMU_BIN/mmalloc-inspect" f
}

@test "a full standard output is 74" {
	skip_unless xz
	xz -dc "$(fixture fmalloc/list-64k.fm.xz)" >f
	local v

	for v in summary ls; do
		run_rc 74 sh -c "mmalloc-inspect $v f >/dev/full"
		expect_one_line_error
	done
}

@test "a header alone, with any size it may claim" {
	local total

	for total in 0 1 8192 65536 16777216 1099511627776 18446744073709551615; do
		python3 - "$total" <<-'PY' || skip "python3 is not installed"
			import struct, sys
			t = int(sys.argv[1])
			open("h", "wb").write(struct.pack("<4Q", 123456, t, min(t, 1 << 24), max(1, t >> 24)) + b"\xff" * 9000)
		PY
		run_rc 65 timeout 20 mmalloc-inspect check -q h
		run timeout 20 mmalloc-inspect ls h
		[ "$status" -eq 0 ] || [ "$status" -eq 65 ]
	done
}
