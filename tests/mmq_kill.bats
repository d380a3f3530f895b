load helper

# Processes that are killed or stopped at any time. What a test starts it ends.

teardown() {
	# No bare wait: it would wait for bats's own timer, too.
	[ -z "${popper:-}" ] || kill -KILL "$popper" 2>/dev/null || true
	[ -z "${holder:-}" ] || kill -KILL "$holder" 2>/dev/null || true
}

blocked() { # PID: it sleeps in write(2) to a full pipe
	grep -q pipe_w "/proc/$1/wchan" 2>/dev/null || [ "$(awk '{ print $3 }' "/proc/$1/stat")" = S ]
}

taken() { # FILE: items are in somebody's hands
	[ "$(mmq stat "$1" | sed -n 's/^leased\t//p')" -gt 0 ]
}

# A pop --all that cannot go on: its pipe is full and nobody reads. Its pid in $popper.
start_blocked_pop() {
	mkfifo fifo
	exec 7<>fifo
	mmq pop --all q >&7 7>&- &
	popper=$!
	wait_until 10 taken q
	wait_until 10 blocked "$popper"
}

@test "kill -9 of a pop that is blocked: its items are back at once, in order" {
	seq 100000 | mmq push q
	start_blocked_pop
	[ "$(mmq len q)" -lt 100000 ]
	kill -KILL "$popper"
	wait "$popper" || true
	[ "$(mmq len q)" -eq 100000 ]
	[ "$(mmq peek q)" = 1 ]
	run_rc 0 mmq check q
	mmq pop --all q | cmp - <(seq 100000)
	run_rc 0 mmq check q
}

@test "TERM of a pop that is blocked: the same" {
	seq 100000 | mmq push q
	start_blocked_pop
	kill -TERM "$popper"
	wait "$popper" || true
	mmq pop --all q | cmp - <(seq 100000)
	run_rc 0 mmq check q
}

@test "items given back stand before newer ones, behind older ones" {
	seq 300000 | mmq push q
	start_blocked_pop
	local first

	first=$(mmq pop q)
	[ "$first" -gt 1 ]
	mmq push q new
	kill -KILL "$popper"
	wait "$popper" || true
	mmq pop --all q | cmp - <(seq $((first - 1)); seq $((first + 1)) 300000; echo new)
}

@test "a stopped consumer blocks nobody" {
	seq 100000 | mmq push q
	start_blocked_pop
	kill -STOP "$popper"
	run_rc 0 mmq push --lock-timeout=2s q new
	run_rc 0 mmq pop --lock-timeout=2s q
	run_rc 0 mmq stat --lock-timeout=2s q
	run_rc 0 mmq check --lock-timeout=2s q
	kill -CONT "$popper"
	kill -KILL "$popper"
}

@test "the lock's holder is stopped: 75 names it; readers do not wait" {
	skip_unless python3
	seq 10 | mmq push q
	mkfifo ready
	python3 -c '
import fcntl, os, struct, time
fd = os.open("q", os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhlli4x", fcntl.F_WRLCK, 0, 1 << 62, 1, 0))  # F_OFD_SETLK
open("ready", "w").close()
time.sleep(60)' &
	holder=$!

	cat ready
	kill -STOP "$holder"
	run_rc 75 mmq push --lock-timeout=100ms q a
	expect_one_line_error "process $holder holds the lock"
	run_rc 75 mmq pop --lock-timeout=100ms q
	expect_one_line_error "process $holder "
	run_rc 0 mmq len q
	expect_output 10
	run_rc 0 mmq peek q
	kill -KILL "$holder"
	wait "$holder" || true
	run_rc 0 mmq pop --lock-timeout=2s q
	expect_output 1
}

@test "kill -9 of pushers at random: the queue is whole, each holds a prefix of what it was given" {
	local round pid

	for round in $(seq 30); do
		seq -f "$round-%.0f" 1000000 | mmq push q &
		pid=$!
		sleep "0.0$((RANDOM % 5))$((RANDOM % 10))"
		kill -KILL "$pid"
		wait "$pid" || true
		[ -e q ] || continue # killed before it was made
		run_rc 0 mmq check q
		mmq pop --all q >got || [ ! -s got ]
		seq -f "$round-%.0f" "$(wc -l <got)" | cmp - got
	done
	run_rc 0 mmq check q
}

@test "kill -9 of poppers at random: every item comes, in order, twice at most where one was killed" {
	local round pid status

	seq 300000 | mmq push q
	for round in $(seq 30); do
		mmq pop -n 20000 q >"got.$round" &
		pid=$!
		sleep "0.00$((RANDOM % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		status=0
		wait "$pid" || status=$?
		[ "$status" -le 1 ] || [ "$status" -eq 137 ]
		run_rc 0 mmq check q
	done
	mmq pop --all q >got.99 || [ ! -s got.99 ]
	# A kill may cut write(2) within an item: that one comes again whole.
	for round in got.*; do
		[ -z "$(tail -c 1 "$round")" ] || sed -i '$d' "$round"
	done
	printf '%s\0' got.* | sort -z -t. -k2n | xargs -0 cat >all
	# Each file goes on where an earlier one stopped, or begins again within it.
	awk '$1 > last + 1 { exit 1 } $1 > last { last = $1 } END { if (last != 300000) exit 1 }' all
	for round in got.*; do
		sort -n -u -c "$round"
	done
}
