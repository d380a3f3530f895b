# What all programs share, whatever they do. The loops run over what was built, so that a new program and a new verb
# are covered the day they appear.
load helper

setup() {
	mmu_setup
	mapfile -t progs < <(programs)
	[ "${#progs[@]}" -gt 0 ] || skip "no program is built"
}

# Programs whose first operand is a verb.
verb_programs() {
	local p

	for p in "${progs[@]}"; do
		[ -z "$(verbs "$p")" ] || echo "$p"
	done
}

# Every program and every verb of it, as the words to call.
calls() {
	local p

	for p in "${progs[@]}"; do
		echo "$p"
		verbs "$p" | sed "s/^/$p /"
	done
}

@test "--help names the program and ends with 0, also after a verb and without a file" {
	local call

	while read -r call; do
		# shellcheck disable=SC2086 # words on purpose
		run_rc 0 $call --help
		expect_silence
		[[ $output == *"Usage: ${call%% *}"* ]] || fail "$call --help: $output"
	done < <(calls)
}

@test "--version names the program, the package and one version everywhere" {
	local call version

	version=$("${progs[0]}" --version)
	version=${version#* }
	[[ $version =~ ^\(mmutils\)\ [0-9]+\.[0-9]+ ]]
	while read -r call; do
		# shellcheck disable=SC2086
		run_rc 0 $call --version
		expect_silence
		expect_output "${call%% *} $version"
	done < <(calls)
}

@test "--help and --version to a full disk end with 74 and one line" {
	local call opt

	while read -r call; do
		for opt in --help --version; do
			run_rc 74 sh -c "$call $opt >/dev/full"
			expect_one_line_error "standard output"
		done
	done < <(calls)
}

@test "--help and --version with stdout closed end with 74" {
	local call opt

	while read -r call; do
		for opt in --help --version; do
			run_rc 74 sh -c "$call $opt >&-"
			expect_one_line_error
		done
	done < <(calls)
}

@test "no operands at all is a usage error of one line, or reads nothing" {
	local p

	for p in $(verb_programs); do
		run_rc 64 "$p"
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == "$p: "* || ${stderr_lines[0]} == "$p "* ]]
		[[ $stderr == *--help* ]]
	done
}

@test "an unknown verb is 64 and makes no file" {
	local p

	for p in $(verb_programs); do
		run_rc 64 "$p" no-such-verb store other
		[ -z "$output" ]
		[ -n "$stderr" ]
		[ -z "$(ls -A)" ]
	done
}

@test "an unknown option is 64 with a hint, for every verb" {
	local call

	while read -r call; do
		# shellcheck disable=SC2086
		run_rc 64 $call --no-such-option
		[ -z "$output" ]
		[[ $stderr == *--no-such-option* && $stderr == *--help* ]] || fail "$call: $stderr"
	done < <(calls)
}

@test "with descriptors 0 to 2 closed nothing of the output lands in a file" {
	local p

	echo untouched >victim
	for p in "${progs[@]}"; do
		# Opened by the shell at the lowest number that is free: what a store would be given.
		run sh -c "$p --no-such-option <&- >&- 2>&-"
		[ "$status" -eq 64 ]
		run sh -c "$p --help <&- >&- 2>&-"
		[ "$status" -eq 74 ]
	done
	[ "$(cat victim)" = untouched ]
	[ "$(ls -A)" = victim ]
}

@test "file names are escaped in messages: one line, no control bytes" {
	local p name=$'no\nsuch\e[31mfile'

	for p in "${progs[@]}"; do
		case $p in
		mmcat) run_rc 66 mmcat "$name" ;;
		mmwrite) run_rc 66 mmwrite --no-create "$name" ;;
		mmctr) run_rc 66 mmctr ls "$name" ;;
		mmq) run_rc 66 mmq pop "$name" ;;
		mmalloc) run_rc 66 mmalloc roots "$name" ;;
		mmalloc-inspect) run_rc 66 mmalloc-inspect check "$name" ;;
		*) fail "a program this test does not know: $p" ;;
		esac
		expect_one_line_error
		[[ $stderr != *$'\e'* ]]
	done
}

@test "messages: an empty FILE, a long name, another kind, a size that no file can have" {
	for c in 'mmctr ls' 'mmctr init' 'mmq push' 'mmq pop' 'mmq init' mmcat mmwrite mmalloc-inspect; do
		# shellcheck disable=SC2086
		run_rc 66 $c '' </dev/null
		expect_one_line_error "'': .*No such file"
	done
	run_rc 64 mmctr inc c "$(printf '%0300d' 0)"
	expect_one_line_error "000\\.\\.\\.'"
	echo text >t
	for c in 'mmctr ls' 'mmctr init' 'mmq push' 'mmq pop'; do
		# shellcheck disable=SC2086
		run_rc 65 $c t </dev/null
		expect_one_line_error "changed; 'mmalloc-inspect FILE'"
	done
	[ "$(cat t)" = text ]
	run_rc 64 mmctr set c
	expect_one_line_error 'NAME is required'
	run_rc 64 mmctr set c n
	expect_one_line_error 'V is required'
	run_rc 64 mmq --json stat q
	expect_one_line_error "'--json': the verb stands first"
	run_rc 73 mmq init --size=10P q
	expect_one_line_error 'ask for less'
}

@test "a second link to a store in a sticky directory: 77 says which of the reasons there are" {
	mkdir -m 1777 sticky
	mmctr set sticky/c n 1
	ln sticky/c sticky/d
	run_rc 77 mmctr inc sticky/c n
	expect_one_line_error 'second link'
}

@test "words of the command line are escaped in usage errors, however long" {
	local long word

	long=$(printf '%5000s' '')
	for word in $'\e[2J' "$long"$'\e[2J'; do
		run_rc 64 mmq "$word"
		expect_one_line_error "unknown verb"
		[[ $stderr != *$'\e'* ]]
		run_rc 64 mmq len q "$word"
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ $stderr == *"too many operands"* ]]
		[[ $stderr != *$'\e'* ]]
		run_rc 64 mmq pop -n "$word" q
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ $stderr == *"-n '"* ]]
		[[ $stderr != *$'\e'* ]]
		run_rc 64 mmctr init q "$word"
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ $stderr == *"too many operands"* ]]
		[[ $stderr != *$'\e'* ]]
	done
}
