load helper

@test "creates with the exact mode, overwrites, never truncates, grows" {
	umask 077
	printf hello | mmwrite f
	[ "$(stat -c %a f)" = 600 ]
	printf x | mmwrite -m 664 g
	[ "$(stat -c %a g)" = 664 ]
	printf J | mmwrite f
	[ "$(cat f)" = Jello ]
	printf lloWORLD | mmwrite -o 2 f
	[ "$(cat f)" = JelloWORLD ]
	printf '!' | mmwrite -o -1 f
	[ "$(cat f)" = 'JelloWORL!' ]
	mmwrite f </dev/null
	[ "$(cat f)" = 'JelloWORL!' ]
	mmwrite e </dev/null
	[ -f e ] && [ ! -s e ]
}

@test "beyond the end there is a hole" {
	printf end | mmwrite -o 1G f
	[ "$(stat -c %s f)" -eq $(((1 << 30) + 3)) ]
	[ "$(stat -c %b f)" -lt 1000 ]
	[ "$(mmcat -o -3 f)" = end ]
}

@test "large input from a file and from a pipe is what arrives" {
	head -c 3000001 /dev/urandom >in
	mmwrite a <in
	cmp a in
	cat in | mmwrite b
	cmp b in
	head -c 5000000 /dev/zero >c
	mmwrite -o 7 c <in
	cat in | mmwrite -o 2500000 c
	[ "$(stat -c %s c)" -eq 5500001 ]
	cmp -n 2499993 -i 7:0 c in
	cmp -i 2500000:0 c in
	cmp -n 7 c /dev/zero
}

@test "the input is taken from where its descriptor stands" {
	printf 0123456789 >in
	{ dd bs=4 count=1 2>/dev/null >/dev/null; mmwrite f; cat >rest; } <in
	[ "$(cat f)" = 456789 ]
	[ ! -s rest ]
}

@test "--append, from several writers at once" {
	printf a | mmwrite -a f
	printf b | mmwrite -a f
	[ "$(cat f)" = ab ]
	local pids=()
	for i in 1 2 3 4 5 6 7 8; do
		yes "$i" | head -c 300000 >in$i
		if [ $((i % 2)) = 0 ]; then mmwrite -a g <in$i; else cat in$i | mmwrite -a g; fi &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(stat -c %s g)" -eq 2400000 ]
	[ "$(uniq g | wc -l)" -eq 8 ]
	run_rc 64 mmwrite -a -o 1 f </dev/null
}

@test "--no-create, --fixed-size" {
	run_rc 66 mmwrite --no-create f </dev/null
	[ ! -e f ]
	expect_one_line_error
	printf 12345 >f
	printf xyz >in
	run_rc 75 mmwrite --fixed-size -o 3 f <in
	[ "$(cat f)" = 12345 ]
	run_rc 0 mmwrite --fixed-size -o 2 f <in
	[ "$(cat f)" = 12xyz ]
	run_rc 75 bash -c 'printf abc | mmwrite --fixed-size -o 3 f'
	[ "$(cat f)" = 12xab ]
	[[ "$stderr" == *"2 old bytes were changed"* ]]
	run_rc 75 mmwrite --fixed-size new <in
	[ ! -e new ]
}

@test "wrong operands and offsets" {
	printf 12345 >f
	run_rc 64 mmwrite </dev/null
	run_rc 64 mmwrite f g </dev/null
	run_rc 64 mmwrite -o 1x f </dev/null
	run_rc 64 mmwrite -m 888 f </dev/null
	run_rc 65 mmwrite -o -6 f <f
	run_rc 73 bash -c 'printf x | mmwrite -o 9223372036854775807 f'
	[ "$(cat f)" = 12345 ]
}

@test "directories, FIFOs, devices and links as FILE" {
	mkdir d
	mkfifo p
	for bad in d p /dev/null; do
		run_rc 77 timeout 5 mmwrite "$bad" <<<x
		expect_one_line_error
	done
	printf old >f
	ln -s f l
	ln -s made dangling
	printf new | mmwrite l
	[ "$(cat f)" = new ] && [ -L l ]
	printf x | mmwrite dangling
	[ "$(cat made)" = x ] && [ -L dangling ]
	run_rc 73 mmwrite nodir/f <<<x
}

@test "unreadable input leaves FILE alone" {
	printf old >f
	mkdir d
	run_rc 77 mmwrite f <d
	run_rc 74 bash -c 'mmwrite f <&-'
	run_rc 74 bash -c 'mmwrite new <&-'
	[ "$(cat f)" = old ] && [ ! -e new ]
}

@test "FILE as its own input" {
	seq 100000 >f
	cp f was
	run_rc 64 mmwrite -o 10 f <f
	cmp f was
	mmwrite -a f <f
	cat was was | cmp - f
}

@test "--sync" {
	run_rc 0 mmwrite -s f <<<x
	run_rc 0 mmwrite -s f <<<y
	[ "$(cat f)" = y ]
	[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || skip "no tmpfs at /dev/shm"
	t=$(mktemp /dev/shm/mmwrite.XXXXXX)
	run_rc 69 mmwrite -s "$t" <<<x
	[ ! -s "$t" ]
	rm "$t"
	run_rc 69 mmwrite -s "$t" <<<x
	[ ! -e "$t" ]
}

@test "a new file has its name only when it is complete" {
	mkfifo p
	mmwrite -o 1 f <p &
	exec 9>p
	printf part >&9
	wait_until 5 has_drafted $!
	[ ! -e f ]
	kill -9 $!
	wait $! || true
	exec 9>&-
	[ "$(ls -A)" = p ]
}

@test "somebody else creates the file first: nothing is lost" {
	mkfifo p
	mmwrite -o 2 f <p &
	exec 9>p
	printf NEW >&9
	wait_until 5 has_drafted $!
	printf abcdefgh >f
	exec 9>&-
	wait $!
	[ "$(cat f)" = abNEWfgh ]
}

# The draft has no name: its descriptor shows a deleted file with the bytes in it.
has_drafted() {
	local fd

	for fd in /proc/"$1"/fd/*; do
		[ "$(stat -Lc %F:%h:%s "$fd")" != "regular file:0:5" ] || return 0
	done
	return 1
}

@test "input that is cut short while it is read is 74" {
	skip_unless strace
	head -c 1000000 /dev/urandom >in
	head -c 500 /dev/zero >f
	# Only calls on the input count: a dynamic program's start reads too. LeakSanitizer cannot work under ptrace.
	run_rc 74 env ASAN_OPTIONS=detect_leaks=0 bash -c 'strace -qq -o tr -P in -e trace=copy_file_range,pread64 -e inject=copy_file_range:error=EIO \
		-e inject=pread64:retval=0:when=2 mmwrite f <in'
	[[ "$stderr" == *"standard input: cut short"*"500 old bytes were changed"* ]]
	[ "$(stat -c %s f)" -eq 500 ]
}

@test "killed in the middle: bytes outside of the range and the size are as they may be" {
	head -c 2M /dev/urandom >was
	head -c 1M /dev/urandom >in
	mkfifo p
	cp was f
	mmwrite -o 100 f <p &
	exec 9>p
	head -c 300000 in >&9
	wait_until 5 changed
	kill -9 $!
	wait $! || true
	exec 9>&-
	[ "$(stat -c %s f)" -eq $((2 << 20)) ]
	cmp -n 100 f was
	cmp -i $((1048576 + 100)) f was
}

changed() {
	! cmp -s f was
}
