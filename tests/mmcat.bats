load helper

@test "a whole file, several files and an empty one" {
	seq 50000 >a
	printf b >b
	: >empty
	mmcat a | cmp - a
	mmcat a empty b a >out
	cat a b a | cmp - out
}

@test "-o and -n, also from the end" {
	printf 0123456789 >f
	run_rc 0 mmcat -o 3 -n 4 f
	[ "$output" = 3456 ]
	run_rc 0 mmcat -o -3 f
	[ "$output" = 789 ]
	run_rc 0 mmcat -o -3 -n 2 f
	[ "$output" = 78 ]
	run_rc 0 mmcat -n 0x2 f
	[ "$output" = 01 ]
	run_rc 0 mmcat -o -0 f
	[ -z "$output" ]
	run_rc 0 mmcat -o 100 f
	[ -z "$output" ]
	run_rc 0 mmcat -o -100 f
	[ "$output" = 0123456789 ]
}

@test "-r is repeatable, in the order given, for each file" {
	printf 0123456789 >f
	printf abcdefghij >g
	run_rc 0 mmcat -r 8:1 -r -3:2 -r 9: -r 0:0 f g
	[ "$output" = 8789ihij ]
}

@test "--exact refuses a short range before anything is printed" {
	printf 0123456789 >f
	run_rc 0 mmcat --exact -o 5 -n 5 f
	[ "$output" = 56789 ]
	for r in 5:6 10:1 -3:4 -11:2 9223372036854775807:1; do
		run_rc 65 mmcat --exact -r 0:2 -r "$r" f
		[ -z "$output" ]
		expect_one_line_error
	done
}

@test "wrong numbers and wrong usage are 64" {
	printf 0123456789 >f
	for o in 1x '' ' 1' 1e3 99999999999999999999 --1 1:2; do
		run_rc 64 mmcat -o "$o" f
		[ -z "$output" ]
	done
	for r in 5 5:-1 :5 1:2:3 1:9223372036854775808; do
		run_rc 64 mmcat -r "$r" f
	done
	run_rc 64 mmcat -r 5 f
	expect_one_line_error "OFF:LEN"
	run_rc 64 mmcat
	run_rc 64 mmcat -x --raw f
	run_rc 64 mmcat -o 1 -r 1:2 f
	run_rc 64 mmcat --no-such f
}

@test "-x prints as hexdump -C, ranges with their own offsets" {
	skip_unless hexdump
	head -c 1000 /dev/urandom >f
	mmcat -x f | diff - <(hexdump -C f)
	mmcat -x -o 37 -n 45 f | diff - <(hexdump -C -s 37 -n 45 f)
	: >empty
	run_rc 0 mmcat -x empty
	[ -z "$output" ]
}

@test "-x of a huge hole is immediate" {
	skip_unless hexdump
	printf start >f
	truncate -s 1T f
	printf end >>f
	run_rc 0 timeout 10 mmcat -x f
	[ "${lines[0]:0:8}" = 00000000 ]
	[ "${#lines[@]}" -eq 5 ]
	[ "${lines[-1]}" = 10000000003 ]
}

@test "a hole stays one in a regular file and costs no memory" {
	printf start >f
	truncate -s 2G f
	printf middle >>f
	truncate -s 3G f
	mmcat f >copy
	[ "$(stat -c %s copy)" -eq $((3 << 30)) ]
	[ "$(stat -c %b copy)" -lt 1000 ]
	[ "$(mmcat -r 0:5 -r 2G:6 copy)" = startmiddle ]
	[ "$(mmcat -n 600M f | wc -c)" -eq $((600 << 20)) ]
}

@test "a hole does not let old bytes of the output show through" {
	truncate -s 100k f
	head -c 200k /dev/urandom >out
	mmcat f 1<>out
	cmp -n 102400 out /dev/zero
	(mmcat f; printf tail) >>out
	[ "$(mmcat -o -4 out)" = tail ]
	[ "$(stat -c %s out)" -eq 307204 ]
}

@test "missing files, directories, FIFOs; the rest is still printed" {
	printf text >f
	mkfifo p
	mkdir d
	run_rc 66 timeout 5 mmcat nope f
	[ "$output" = text ]
	expect_one_line_error
	run_rc 77 timeout 5 mmcat p f
	[ "$output" = text ]
	run_rc 77 timeout 5 mmcat d
	run_rc 77 timeout 5 mmcat /dev/null
	ln -s f l
	run_rc 0 mmcat l
	[ "$output" = text ]
}

@test "output errors are 74, SIGPIPE ends it as cat" {
	seq 200000 >f
	for opt in --raw -x; do
		run_rc 74 sh -c "mmcat $opt f >/dev/full"
		expect_one_line_error
		run_rc 74 sh -c "mmcat $opt f >&-"
		expect_one_line_error
	done
	run bash -c 'mmcat f | :; echo ${PIPESTATUS[0]}'
	[ "$output" = 141 ]
	# shellcheck disable=SC2016 # the inner shell's
	run --separate-stderr bash -c 'trap "" PIPE; mmcat f | :; exit ${PIPESTATUS[0]}'
	[ "$status" -eq 74 ]
	run_rc 74 bash -c 'ulimit -f 100; mmcat f >out'
}

@test "a file cut short while it is printed is 74 with a message" {
	head -c 8M /dev/urandom >f
	mkfifo p
	mmcat f >p 2>err &
	pid=$!
	exec 9<p
	head -c 100000 <&9 >/dev/null
	truncate -s 1M f
	cat <&9 >/dev/null
	exec 9<&-
	rc=0
	wait $pid || rc=$?
	[ "$rc" -eq 74 ]
	grep -q '^mmcat: f: read: cut short' err
}

@test "files whose size says nothing are read like cat" {
	[ "$(mmcat /proc/version)" = "$(cat /proc/version)" ]
	[ "$(mmcat -o 2 -n 5 /proc/version)" = "$(dd if=/proc/version bs=1 skip=2 count=5 2>/dev/null)" ]
	for r in '-o -5' '-o -0' '-r 0:2 -r -5:' '--exact -n 5'; do
		# shellcheck disable=SC2086
		run_rc 69 mmcat $r /proc/version
		[ -z "$output" ]
		expect_one_line_error "size"
	done
	: >empty
	run_rc 0 mmcat -o -5 empty
}

@test "what a pipe holds at the end does not change with the file" {
	head -c 4M /dev/urandom >f
	sha=$(sha256sum <f)
	mkfifo p
	mmcat f >p &
	pid=$!
	exec 9<p
	{ head -c 3M; wait_until 10 gone $pid; head -c 4M /dev/zero | dd of=f conv=notrunc 2>/dev/null; cat; } <&9 |
		sha256sum >sum
	exec 9<&-
	[ "$(cat sum)" = "$sha" ]
}

gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"
}

@test "on a terminal binary is shown as hex, text as it is" {
	script -qec true /dev/null >/dev/null 2>&1 || skip "no pseudo-terminals here"
	skip_unless script
	printf 'plain \303\244 text\n' >t
	printf '\033[31mred' >b
	run_rc 0 script -qec 'mmcat t' /dev/null
	[ "${output%$'\r'}" = $'plain \303\244 text' ]
	run_rc 0 script -qec 'mmcat b' /dev/null
	[[ "$output" == 00000000*"|.[31mred|"* ]]
	run_rc 0 script -qec 'mmcat --raw b' /dev/null
	[ "$output" = $'\033[31mred' ]
}
