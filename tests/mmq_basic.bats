load helper

@test "words come out in the order they went in, one at a time" {
	run_rc 0 mmq push q a "b c" d
	run_rc 0 mmq pop q
	expect_output a
	run_rc 0 mmq pop q
	expect_output "b c"
	run_rc 0 mmq pop q
	expect_output d
	run_rc 1 mmq pop q
	expect_output ""
	expect_silence
}

@test "every word behind FILE is an item, whatever it starts with" {
	run_rc 0 mmq push q -n --help -- --raw -0 ""
	run_rc 0 mmq pop --all q
	expect_output "$(printf '%s\n' -n --help -- --raw -0 "")"
	mmq push q "" x
	mmq pop --all q | od -c >got
	printf '\nx\n' | od -c | cmp - got
}

@test "words given: standard input is not read" {
	echo from-stdin | mmq push q word
	run_rc 0 mmq pop --all q
	expect_output word
}

@test "lines: empty ones are items, an unterminated last line is one, no input is none" {
	printf 'one\n\ntwo\n\nlast' | mmq push q
	run_rc 0 mmq len q
	expect_output 5
	mmq pop --all q >got
	printf 'one\n\ntwo\n\nlast\n' | cmp - got
	run_rc 0 mmq push q </dev/null
	run_rc 0 mmq len q
	expect_output 0
}

@test "-0: items end with a NUL and may hold newlines" {
	printf 'a\nb\0\0c' | mmq push -0 q
	mmq pop -0 --all q >got
	printf 'a\nb\0\0c\0' | cmp - got
}

@test "netstrings: any bytes, empty items, both ways" {
	printf '5:hel\0o,0:,3:a,\n,' | mmq push --frame=len q
	run_rc 0 mmq len q
	expect_output 3
	mmq pop --frame=len --all q >got
	printf '5:hel\0o,0:,3:a,\n,' | cmp - got
}

@test "a malformed netstring is 65; the items before it are in, and said to be" {
	local bad n=0

	for bad in 'x' '5' '5:' '5:abc' '5:abcde' '5:abcdef' '05:abcde,' ':,' '-1:,' '1 :a,' '4294967296:' '99999999999999999999:a,'; do
		printf '%s' "2:ok,$bad" >in
		run_rc 65 mmq push --frame=len q <in
		expect_one_line_error "malformed frame.*1 items were pushed"
		n=$((n + 1))
	done
	run_rc 0 mmq len q
	expect_output "$n"
}

@test "a netstring whose length is too long, at the very end of what one read brings" {
	# 262133 bytes, then 11 digits: the buffer of 256 KiB is full. (What lies behind it, a sanitizer sees.)
	{ printf '262125:' && head -c 262125 /dev/zero && printf ',11111111111111'; } >in
	run_rc 65 mmq push --frame=len q <in
	expect_one_line_error "malformed frame.*1 items were pushed"
}

@test "--raw: one item of all bytes, of none too" {
	head -c 300000 /dev/urandom >in
	mmq push --raw q <in
	cat in | mmq push --raw q
	mmq push --raw q </dev/null
	: >empty
	mmq push --raw q <empty
	run_rc 0 mmq len q
	expect_output 4
	mmq pop --raw q | cmp - in
	mmq pop --raw q | cmp - in
	[ "$(mmq pop --raw q | wc -c)" -eq 0 ]
	[ "$(mmq pop --raw q | wc -c)" -eq 0 ]
	run_rc 64 mmq pop --raw --all q
	run_rc 64 mmq pop --raw -n2 q
}

@test "large items from a pipe, between small ones, come back byte for byte" {
	head -c 3000000 /dev/urandom >in
	{ printf '1:a,3000000:'; cat in; printf ',700000:'; head -c 700000 in; printf ',1:z,'; } >frames
	cat frames | mmq push --frame=len q
	[ "$(mmq len q)" -eq 4 ]
	mmq pop --frame=len --all q | cmp - frames
	run_rc 0 mmq check q
}

@test "binary: every byte value in one item" {
	LC_ALL=C awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >in
	[ "$(wc -c <in)" -ge 256 ]
	mmq push --raw q <in
	mmq peek --raw q | cmp - in
	mmq pop --raw q | cmp - in
}

@test "a newline in an item: alone it is printed, among others the ones before it are out and it stays, 65" {
	printf 'a\0b\nc\0d\0' | mmq push -0 q
	run_rc 65 mmq pop --all q
	expect_output a
	expect_one_line_error "holds the byte that ends items"
	run_rc 65 mmq peek -n 2 q
	run_rc 0 mmq len q
	expect_output 2
	run_rc 0 mmq pop q
	expect_output $'b\nc'
	run_rc 0 mmq pop q
	expect_output d
}

@test "-n takes up to N and is 1 only when there was none" {
	mmq push q a b c d
	run_rc 0 mmq pop -n 3 q
	expect_output $'a\nb\nc'
	run_rc 0 mmq pop -n 3 q
	expect_output d
	run_rc 1 mmq pop -n 3 q
	run_rc 1 mmq pop --all q
	run_rc 64 mmq pop -n x q
	run_rc 64 mmq pop -n -1 q
	run_rc 64 mmq pop -n 1e3 q
}

@test "peek prints without taking" {
	mmq push q a b c
	run_rc 0 mmq peek q
	expect_output a
	run_rc 0 mmq peek -n 2 q
	expect_output $'a\nb'
	run_rc 0 mmq peek --all q
	expect_output $'a\nb\nc'
	run_rc 0 mmq len q
	expect_output 3
	mmq pop --all q >/dev/null
	run_rc 1 mmq peek q
	expect_silence
}

@test "--id prints the ids, and they go on" {
	run_rc 0 mmq push --id q a b
	expect_output $'1\n2'
	mmq pop --all q >/dev/null
	echo c >in
	run_rc 0 mmq push --id q <in
	expect_output 3
}

@test "stat: every figure, in a pipe with tabs" {
	mmq push q aa bbb c
	mmq pop q >/dev/null
	run_rc 0 mmq stat q
	[[ $output == $'ready\t2\nleased\t0\ndelayed\t0\nitems\t2\nbytes\t4\ncapacity\t'* ]]
	[[ $output == *$'\npushed\t3\npopped\t1\n'*$'\noldest_age\t'* ]]
	[ "$(mmq stat q | sed -n 's/^capacity\t//p')" -eq "$(stat -c %s q)" ]
}

@test "stat --json: one object with the keys of the contract" {
	mmq push q aa bbb c
	mmq pop q >/dev/null
	run_rc 0 mmq stat --json q
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == '{"ready":2,"leased":0,"delayed":0,"items":2,"bytes":4,"capacity":'*',"pushed":3,"popped":1,'*'"oldest_age":'* ]]
	skip_unless python3
	mmq stat --json q | python3 -c 'import json, sys; d = json.load(sys.stdin); assert 0 <= d["oldest_age"] < 60'
}

@test "check: silence and 0" {
	mmq push q a b
	run_rc 0 mmq check q
	expect_output ""
	run_rc 0 mmq check --json q
	expect_output ""
}

@test "init: a new queue of the mode asked for; an existing one is 1 and unchanged" {
	run_rc 0 mmq init -m 640 q
	[ "$(stat -c %a q)" = 640 ]
	mmq push q a
	cp q was
	run_rc 1 mmq init --max-items=1 q
	expect_silence
	cmp q was
	run_rc 66 mmq init --no-create new
	[ ! -e new ]
	run_rc 64 mmq init --when-full=never new
	mmq init --max-items=1 --when-full=drop-oldest --when-full=fail last
	run_rc 75 mmq push last a b
	run_rc 64 mmq init --max-items=1x new
	run_rc 64 mmq init --max-bytes=10Q new
	[ ! -e new ]
}

@test "a new file has mode 0600 whatever the umask" {
	(umask 0 && mmq push q a)
	[ "$(stat -c %a q)" = 600 ]
	(umask 077 && mmq push -m 0664 r a)
	[ "$(stat -c %a r)" = 664 ]
}

@test "--max-items: items are stored up to the limit, then 75 and how many are in" {
	mmq init --max-items=3 q
	run_rc 75 mmq push q a b c d e
	expect_one_line_error "full; 3 items"
	seq 9 >in
	run_rc 75 mmq push q <in
	expect_one_line_error "full; 0 items"
	mmq pop q >/dev/null
	run_rc 75 mmq push --id q x y
	expect_output 4
	run_rc 0 mmq pop --all q
	expect_output $'b\nc\nx'
}

@test "--max-bytes: full is 75, an item that can never fit is 65" {
	mmq init --max-bytes=10 q
	run_rc 75 mmq push q 12345 1234 12
	expect_one_line_error "2 items"
	run_rc 0 mmq push q 1
	run_rc 65 mmq push q 12345678901
	expect_one_line_error "too large"
	run_rc 0 mmq pop --all q
	expect_output $'12345\n1234\n1'
}

@test "-n and --all exclude each other: nothing is taken" {
	mmq push q a b c
	for verb in pop peek; do
		run_rc 64 mmq "$verb" -n 1 --all q
		expect_one_line_error "exclude"
		run_rc 64 mmq "$verb" -a -n 1 q
	done
	[ "$(mmq len q)" -eq 3 ]
}

@test "--fixed-size without --size, or with a small one: a queue that holds items" {
	mmq init --fixed-size q
	mmq init --fixed-size --size=1 r
	head -c 30000 /dev/zero >in
	for f in q r; do
		size=$(stat -c %s "$f")
		for _ in 1 2 3 4 5 6 7 8; do
			run_rc 0 mmq push --raw "$f" <in
			mmq pop --raw "$f" | cmp - in
		done
		[ "$(stat -c %s "$f")" -eq "$size" ]
	done
}

@test "--fixed-size: the file keeps its size; what leaves makes room" {
	mmq init --fixed-size --size=256k q
	[ "$(stat -c %s q)" -eq 262144 ]
	head -c 50000 /dev/zero >in
	run_rc 0 mmq push --raw q <in
	run_rc 0 mmq push --raw q <in
	run_rc 0 mmq push --raw q <in
	run_rc 75 mmq push --raw q <in
	for _ in 1 2 3 4 5 6 7 8; do
		mmq pop --raw q | cmp - in
		mmq pop --raw q | cmp - in
		run_rc 0 mmq push --raw q <in
		run_rc 0 mmq push --raw q <in
	done
	[ "$(stat -c %s q)" -eq 262144 ]
	run_rc 0 mmq check q
}
