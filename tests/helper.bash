# shellcheck shell=bash
# What every .bats file shares; `load helper` comes first in each.
#
# The programs under test are those in $MMU_BIN (default: bin/ of this tree) and are found on PATH. Every test starts in
# a fresh directory of its own, so relative file names are safe and nothing is left behind.
#
#   run_rc CODE cmd...           runs, asserts the exit code; stdout in $output, stderr in $stderr
#   expect_output TEXT           stdout was exactly this (without the last newlines)
#   expect_one_line_error [RE]   stderr is one line that starts with the program's name and matches RE
#   expect_silence               nothing on stderr
#   skip_unless WHAT...          root, linux-user (an unprivileged uid can be taken), fs:TYPE, or a command
#   wait_until SECONDS cmd...    until cmd succeeds; fails at the deadline. Instead of any sleep
#   programs                     names of the programs that were built
#   verbs PROGRAM                its verbs, from --help
#   fixture NAME                 path of a file in tests/data

bats_require_minimum_version 1.5.0

MMU_SRC=${MMU_SRC:-$(cd "$BATS_TEST_DIRNAME/.." && pwd)}
MMU_BIN=${MMU_BIN:-$MMU_SRC/bin}
PATH=$MMU_BIN:$PATH
LC_ALL=C
# A lock order of tests or an inherited switch must not decide a result.
unset MMUTILS_NETWORK_FS POSIXLY_CORRECT ARGP_HELP_FMT
export MMU_SRC MMU_BIN PATH LC_ALL
umask 022

# A file with a setup() of its own calls this first.
mmu_setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

setup() {
	mmu_setup
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

run_rc() {
	local want=$1
	shift
	run --separate-stderr "$@"
	# shellcheck disable=SC2154 # set by run
	if [ "$status" -ne "$want" ]; then
		fail "command: $*" "exit code: $status, wanted $want" "stdout: ${output:0:2000}" "stderr: ${stderr:0:2000}"
	fi
}

expect_output() {
	[ "$output" = "$1" ] || fail "stdout: $output" "wanted: $1"
}

expect_silence() {
	[ -z "$stderr" ] || fail "unexpected on stderr: $stderr"
}

# The last `run` decides which program that was: its name is the word before the first colon.
expect_one_line_error() {
	local name=${stderr%%:*}

	# shellcheck disable=SC2154 # set by run
	if [ "${#stderr_lines[@]}" -ne 1 ]; then
		fail "wanted one line on stderr, got ${#stderr_lines[@]}: $stderr"
	elif [[ $name != mm* || ! -x $MMU_BIN/$name ]]; then
		fail "does not start with the program's name: $stderr"
	elif [ $# -gt 0 ] && ! [[ $stderr =~ $1 ]]; then
		fail "stderr: $stderr" "does not match: $1"
	fi
}

skip_unless() {
	local what

	for what; do
		case $what in
		root) [ "$(id -u)" -eq 0 ] || skip "needs root" ;;
		linux-user) skip_unless root setpriv ;;
		fs:*) grep -qw "${what#fs:}" /proc/filesystems || skip "no ${what#fs:} in this kernel" ;;
		*) command -v "$what" >/dev/null || skip "$what is not installed" ;;
		esac
	done
}

wait_until() {
	local seconds=$1 deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		if [ "${EPOCHREALTIME/./}" -ge "$deadline" ]; then
			fail "not within $seconds s: $*"
			return 1
		fi
		sleep 0.02
	done
}

programs() {
	local p

	for p in "$MMU_BIN"/mm*; do
		case ${p##*/} in *.*) continue ;; esac
		[ ! -f "$p" ] || [ ! -x "$p" ] || printf '%s\n' "${p##*/}"
	done
}

verbs() {
	"$1" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Z].*/\1/p'
}

fixture() {
	printf '%s\n' "$MMU_SRC/tests/data/$1"
}
