load helper

@test "eight processes push and pop at once: nothing lost, nothing twice, each producer's order kept" {
	local i pids=() poppers=()

	mmq init q
	for i in 1 2 3 4; do
		seq -f "$i %.0f" 20000 | mmq push q &
		pids+=($!)
	done
	for i in 5 6 7 8; do
		while [ ! -e finished ] || [ "$(mmq len q)" -gt 0 ]; do
			mmq pop -n 700 q >>"got.$i" || [ $? -eq 1 ]
		done &
		poppers+=($!)
	done
	wait "${pids[@]}"
	touch finished
	wait "${poppers[@]}" # a bare wait would wait for bats's own timer, too
	run_rc 1 mmq pop q
	[ "$(cat got.* | wc -l)" -eq 80000 ]
	[ "$(cat got.* | sort -u | wc -l)" -eq 80000 ]
	for i in got.*; do
		awk '$2 <= last[$1] { exit 1 } { last[$1] = $2 }' "$i"
	done
	run_rc 0 mmq check q
	run_rc 0 mmq stat q
	[[ $output == *$'pushed\t80000\npopped\t80000'* ]]
}

@test "one item at a time from many processes, each exactly once" {
	local i pids=()

	for i in $(seq 8); do
		(for n in $(seq 50); do mmq push q "$i.$n"; done) &
		pids+=($!)
	done
	wait "${pids[@]}"
	pids=()
	[ "$(mmq len q)" -eq 400 ]
	for i in $(seq 8); do
		(for n in $(seq 50); do mmq pop q; done) >"got.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(sort -u got.* | wc -l)" -eq 400 ]
	run_rc 1 mmq pop q
	run_rc 0 mmq check q
}

@test "readers beside writers see whole items only" {
	seq -f '%08.0f' 50000 >in
	(for i in 1 2 3; do mmq push q <in; mmq pop -n 40000 q >/dev/null; done; touch finished) &
	local writer=$!
	wait_until 10 test -e q
	until [ -e finished ]; do
		mmq peek -n 2000 q >seen || [ $? -eq 1 ]
		! grep -qvx '[0-9]\{8\}' seen
		mmq stat q >/dev/null
	done
	wait "$writer"
	run_rc 0 mmq check q
}

@test "far more than the file holds goes through it and it does not grow" {
	local i size

	seq 40000 >in
	for i in $(seq 4); do
		mmq push q <in
		mmq pop --all q | cmp - in
	done
	size=$(stat -c %s q)
	for i in $(seq 20); do
		mmq push q <in
		mmq pop --all q | cmp - in
	done
	[ "$(stat -c %s q)" -eq "$size" ]
	[ "$(mmq stat q | sed -n 's/^pushed\t//p')" -eq 960000 ]
	run_rc 0 mmq check q
}

@test "the segment table grows: 300 MB in, and out again" {
	[ "$(df --output=avail . | tail -n 1)" -gt 1000000 ] || skip "needs 1 GB of disk"
	head -c 1000000 /dev/urandom >in
	(for i in $(seq 300); do printf '1000000:'; cat in; printf ,; done) | mmq push --frame=len q
	[ "$(mmq len q)" -eq 300 ]
	[ "$(stat -c %s q)" -gt 300000000 ]
	[ "$(stat -c %s q)" -lt 400000000 ]
	run_rc 0 mmq check q
	mmq pop --raw q | cmp - in
	mmq pop --frame=len --all q | cmp - <(for i in $(seq 299); do printf '1000000:'; cat in; printf ,; done)
	run_rc 1 mmq pop q
	run_rc 0 mmq check q
}
