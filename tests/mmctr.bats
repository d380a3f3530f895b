#!/usr/bin/env bats
# mmctr: what the verbs do and print, and the exit codes.
load helper

@test "inc creates file and counter, prints the new value" {
	run_rc 0 mmctr inc f hits
	[ "$output" = 1 ]
	run_rc 0 mmctr inc f hits 41
	[ "$output" = 42 ]
	[ "$(stat -c %a f)" = 600 ]
}

@test "dec and negative operands" {
	run_rc 0 mmctr dec f n 3
	[ "$output" = -3 ]
	run_rc 0 mmctr inc f n -7
	[ "$output" = -10 ]
	run_rc 0 mmctr dec f n -11
	[ "$output" = 1 ]
}

@test "inc --old prints the value before" {
	mmctr set f n 5
	run_rc 0 mmctr inc --old f n 2
	[ "$output" = 5 ]
	[ "$(mmctr get f n)" = 7 ]
}

@test "set takes negative numbers, suffixes and bit patterns" {
	run_rc 0 mmctr set f n -5
	[ -z "$output" ]
	[ "$(mmctr get f n)" = -5 ]
	mmctr set f n 0xffffffffffffffff
	[ "$(mmctr get f n)" = -1 ]
	[ "$(mmctr get --hex f n)" = 0xffffffffffffffff ]
	mmctr set f n 2k
	[ "$(mmctr get f n)" = 2048 ]
	mmctr set f n 010
	[ "$(mmctr get f n)" = 10 ]
}

@test "get prints all or nothing" {
	mmctr set f a 1
	mmctr set f b 2
	run_rc 0 mmctr get f b a b
	[ "$output" = $'2\n1\n2' ]
	run_rc 1 mmctr get f a absent
	[ -z "$output" ]
	[ -z "$stderr" ]
	run_rc 0 mmctr get -d -9 f a absent
	[ "$output" = $'1\n-9' ]
}

@test "del removes, re-creation starts anew" {
	mmctr set f a 9
	mmctr set f b 1
	run_rc 0 mmctr del f a
	[ -z "$output" ]
	run_rc 1 mmctr get f a
	run_rc 1 mmctr del f a b
	[ -z "$stderr" ]
	run_rc 1 mmctr get f b
	run_rc 0 mmctr inc f a
	[ "$output" = 1 ]
}

@test "ls sorts in byte order and takes globs" {
	for n in b a B 'x{l="1"}' é; do mmctr set f "$n" 1; done
	run_rc 0 mmctr ls f
	[ "$output" = $'B\t1\na\t1\nb\t1\nx{l="1"}\t1\né\t1' ]
	run_rc 0 mmctr ls f 'x*' '[ab]'
	[ "$output" = $'a\t1\nb\t1\nx{l="1"}\t1' ]
	run_rc 0 mmctr ls f 'nothing*'
	[ -z "$output" ]
}

@test "ls --json is a line each, also for odd names" {
	mmctr set f 'a"b\c' 3
	mmctr set f $'\xff' 4
	mmctr set f big 0x7fffffffffffffff
	run_rc 0 mmctr ls --json f
	[ "${lines[0]}" = '{"name":"a\"b\\c","value":3}' ]
	[ "${lines[1]}" = '{"name":"big","value":9223372036854775807}' ]
	[ "${lines[2]}" = '{"name_b64":"/w==","value":4}' ]
	run_rc 0 mmctr ls --json --int64=string f big
	[ "$output" = '{"name":"big","value":"9223372036854775807"}' ]
}

@test "overflow is refused with 65 and changes nothing" {
	mmctr set f n 9223372036854775807
	run_rc 65 mmctr inc f n
	expect_one_line_error 'does not fit.*nothing changed'
	[ "$(mmctr get f n)" = 9223372036854775807 ]
	run_rc 0 mmctr inc --saturate f n
	[ "$output" = 9223372036854775807 ]
	run_rc 0 mmctr inc --wrap f n
	[ "$output" = -9223372036854775808 ]
	run_rc 65 mmctr dec f n
}

@test "--limit refuses with 1, silently" {
	run_rc 0 mmctr inc --limit=0:10 f n 10
	run_rc 1 mmctr inc --limit=0:10 f n
	[ -z "$output$stderr" ]
	run_rc 1 mmctr dec --limit=0: f n 11
	run_rc 1 mmctr inc --limit=5: f other
	run_rc 1 mmctr get f other
	run_rc 64 mmctr inc --limit=5:1 f n
	[ "$(mmctr get f n)" = 10 ]
}

@test "init creates, and 1 when it is there" {
	run_rc 0 mmctr init -m 640 f
	[ "$(stat -c %a f)" = 640 ]
	mmctr inc f n
	run_rc 1 mmctr init f
	[ -z "$stderr" ]
	[ "$(mmctr get f n)" = 1 ]
	run_rc 0 mmctr ls f
	[ "$output" = $'n\t1' ]
}

@test "missing files: 66, nothing made" {
	for verb in get del; do
		run_rc 66 mmctr $verb f n
		expect_one_line_error
	done
	run_rc 66 mmctr ls f
	run_rc 66 mmctr inc --no-create f n
	run_rc 66 mmctr init --no-create f
	run_rc 73 mmctr inc no/dir/f n
	[ ! -e f ]
}

@test "what is no store is refused and untouched" {
	mkdir d
	mkfifo p
	: >empty
	echo "something else, long enough to hold a header of sixty-four bytes and more" >text
	cp text before
	run_rc 77 mmctr inc d n
	run_rc 77 timeout 5 mmctr inc p n
	run_rc 65 mmctr inc empty n
	expect_one_line_error 'empty'
	run_rc 65 mmctr init empty
	run_rc 65 mmctr inc text n
	cmp text before
	[ ! -s empty ]
}

@test "usage errors are 64" {
	run_rc 64 mmctr
	run_rc 64 mmctr nonsense f
	run_rc 64 mmctr inc
	run_rc 64 mmctr inc f
	run_rc 64 mmctr inc f n 1 2
	run_rc 64 mmctr set f n
	for bad in x 1e3 5kk '' 0x 99999999999999999999; do
		run_rc 64 mmctr inc f n "$bad"
		expect_one_line_error
	done
	run_rc 64 mmctr set f n 1 --type=histogram
	[ ! -e f ]
}

@test "names: 1 to 255 bytes, no control characters, no @ or - first" {
	long=$(printf 'n%.0s' {1..255})
	run_rc 0 mmctr inc f "$long"
	[ "$(mmctr ls f)" = "$long"$'\t1' ]
	for bad in '' "${long}n" @x $'a\tb' $'a\nb' $'\x7f'; do
		run_rc 64 mmctr inc f "$bad"
		expect_one_line_error
	done
	run_rc 64 mmctr inc f -- -x
	[ "$(mmctr ls f | wc -l)" = 1 ]
}

@test "help of every verb works without a file" {
	for verb in get set inc dec del ls init; do
		run_rc 0 mmctr $verb --help
		[[ $output == *"Usage: mmctr $verb"* ]]
	done
}

@test "type and help text of a counter are accepted again and again" {
	for i in 1 2 3; do
		run_rc 0 mmctr set --type=gauge --help-text="the text" f n $i
	done
	[ "$(mmctr get f n)" = 3 ]
	run_rc 64 mmctr set --help-text="$(printf '%02050d' 0)" f n 4
	[ "$(mmctr get f n)" = 3 ]
}
