# The harness judges everything else, so it is judged first: none of its ways to pass may be open to a failure.
load helper

trs() {
	printf ':test-result: %s\n' "$@"
}

@test "run_rc fails on another exit code and keeps both streams apart" {
	run run_rc 3 false
	[ "$status" -ne 0 ]
	run_rc 3 sh -c 'echo out; echo err >&2; exit 3'
	expect_output out
	[ "$stderr" = err ]
}

@test "each test starts in an empty directory" {
	[ -z "$(ls -A)" ]
	run_rc 0 true
	[ -z "$(ls -A)" ]
	[ "$PWD" = "$BATS_TEST_TMPDIR" ]
}

@test "wait_until fails at its deadline" {
	run wait_until 0 false
	[ "$status" -ne 0 ]
	touch there
	wait_until 5 test -e there
}

@test "summary adds up and fails for a failure, an error and a missing result" {
	trs 'PASS 1 a' 'SKIP 2 b' >a.trs
	trs 'PASS 1 c' 'FAIL 2 d' 'ERROR - too few' >b.trs
	run "$MMU_SRC/tests/summary" a.trs
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "1 passed, 0 failed, 1 skipped" ]
	run "$MMU_SRC/tests/summary" a.trs b.trs none.trs
	[ "$status" -ne 0 ]
	[ "${lines[-1]}" = "2 passed, 3 failed, 1 skipped" ]
	run "$MMU_SRC/tests/summary"
	[ "$status" -ne 0 ]
}

@test "tap-run bails out for a runner that died or printed nothing" {
	printf '#!/bin/sh\necho 1..1\necho ok 1 - x\nexit 3\n' >died
	printf '#!/bin/sh\n' >mute
	printf '#!/bin/sh\necho 1..1\necho not ok 1 - x\nexit 1\n' >honest
	chmod +x died mute honest
	run "$MMU_SRC/tests/tap-run" ./died
	[[ ${lines[-1]} == "Bail out!"* ]]
	run "$MMU_SRC/tests/tap-run" ./mute
	[[ ${lines[-1]} == "Bail out!"* ]]
	run "$MMU_SRC/tests/tap-run" ./honest
	[ "${lines[-1]}" = "not ok 1 - x" ]
}

@test "tap-run skips with a reason where bats is missing" {
	BATS=no-such-bats run "$MMU_SRC/tests/tap-run" bats x.bats
	[ "$output" = "1..0 # SKIP bats is not installed" ]
}

@test "tap-run takes cmocka's skip for a skip, and nothing else" {
	printf '#!/bin/sh\necho 1..2\necho not ok 1 "# SKIP" x\necho not ok 2 - y "# SKIP"\nexit 1\n' >skips
	chmod +x skips
	run "$MMU_SRC/tests/tap-run" ./skips
	[ "${lines[1]}" = "ok 1 # SKIP x" ]
	[[ ${lines[2]} == "not ok 2"* ]]
}
