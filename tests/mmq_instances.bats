load helper

background=() # not `jobs -p`: that has bats' own time-out job too

teardown() {
	local pid

	for pid in "${background[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# A mount namespace of its own has other mount ids: to the file it looks like another boot or mount.
another_mount() {
	unshare -m "$@"
}

@test "a consumer in another mount namespace keeps what it took" {
	skip_unless root unshare mkfifo
	another_mount true 2>/dev/null || skip "mount namespaces are not permitted"
	head -c 300000 /dev/zero | tr '\0' x | mmq push --raw q
	mmq push q second
	mkfifo p
	sleep 60 <>p >/dev/null 2>&1 3>&- &
	local keeper=$!
	background+=("$keeper")
	mmq pop --raw q >p 3>&- &
	local popper=$!
	background+=("$popper")
	taken() { [ "$(mmq stat q | sed -n 's/^leased\t//p')" = 1 ]; }
	wait_until 10 taken
	run_rc 0 another_mount mmq pop q
	expect_output second
	run_rc 1 another_mount mmq pop q
	[ "$(head -c 300000 p | wc -c)" -eq 300000 ]
	wait "$popper"
	kill "$keeper"
	run_rc 0 mmq check q
	[ "$(mmq len q)" -eq 0 ]
}
