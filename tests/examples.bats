# What the documents show and claim is what the programs do.
# shellcheck disable=SC2016 # texts of other scripts
load helper

# --sync is refused on tmpfs, which the test's directory may be.
setup() {
	mmu_setup
	elsewhere=
	if [ "$(stat -f -c %T .)" = tmpfs ]; then
		elsewhere=$(mktemp -d /var/tmp/mmu-examples.XXXXXX) && cd "$elsewhere" || return 1
	fi
}

teardown() {
	[ -z "$elsewhere" ] || rm -rf "$elsewhere"
}

# What the pages take for granted: a heap, a server to start, a log, a picture; and tail -f comes to an end.
furnish() {
	xz -dc "$(fixture fmalloc/mix10k-2m.fm.xz)" >heap.fm
	printf '#!/bin/sh\n' >server
	printf '#!/bin/sh\n[ "$1" != -f ] || shift\nexec cat "$@"\n' >./tail
	chmod +x server tail
	printf 'a\nb\n' >log
	printf '\211PNG\r\n\032\n\0' >a.png
}

# In a directory of its own.
run_page() {
	mkdir "${1##*/}.d"
	(
		cd "${1##*/}.d" || exit 1
		furnish
		PATH=$PWD:$PATH "$MMU_SRC/tests/run-examples" "$1"
	)
}

# Programs with a page, and those without, which are skipped at the end of a test.
with_page() {
	local p

	for p in $(programs); do
		[ ! -e "$MMU_SRC/man/$p.1" ] || echo "$p"
	done
}

skip_without_page() {
	local missing

	missing=$(comm -3 <(programs | sort) <(with_page | sort))
	[ -z "$missing" ] || skip "no page yet: $missing"
}

# The page of a program, as text without macros and fonts.
page_text() {
	sed -e 's/\\&//g; s/\\-/-/g' "$MMU_SRC/man/$1.1"
}

@test "the examples of README print what it shows" {
	skip_unless xz
	run_rc 0 run_page "$MMU_SRC/README.md"
}

@test "the examples of every manual page print what it shows" {
	local page bad=0

	skip_unless xz
	for page in "$MMU_SRC"/man/*.1; do
		run run_page "$page"
		[ "$status" -eq 0 ] || { bad=1; echo "$output"; }
	done
	[ "$bad" -eq 0 ]
}

@test "run-examples: another output, another exit code and a page without examples fail" {
	printf '```sh\n$ echo a\na\n$ false\n$ echo $?\n1\n```\n' >good.md
	printf '```sh\n$ echo a\nb\n```\n' >other.md
	printf '```sh\n$ echo a\n```\n' >untold.md
	printf '    $ echo a\n' >none.md
	printf '.Sh EXAMPLES\n.Dl $ printf "%%s" \\ea | grep -q x\n' >quiet.1
	printf '.Sh EXAMPLES\n.Bd -literal\n$ printf "a\\en"\na\n.Ed\n.Dl $ true\n.Sh CAVEATS\n.Dl $ false\n' >good.1
	run_rc 0 "$MMU_SRC/tests/run-examples" good.md
	run_rc 0 "$MMU_SRC/tests/run-examples" good.1
	for page in other.md untold.md none.md quiet.1; do
		run_rc 1 "$MMU_SRC/tests/run-examples" "$page"
	done
}

# Words of the page that stand for long options: .Fl Fl name, .Fl -name.
page_options() {
	page_text "$1" | grep -oE 'Fl (Fl |-)[a-z][a-z0-9-]+' | sed -E 's/^Fl (Fl |-)/--/' | sort -u
}

# The long options of a program and all its verbs.
help_options() {
	local verb

	{
		"$1" --help
		for verb in $(verbs "$1"); do
			"$1" "$verb" --help
		done
	} | grep -oE '^ +(-., )? *--[a-z][a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u
}

@test "each manual page names every option, and none that is not there" {
	local p bad=0

	# Every program has these; pages may leave them to mmutils(7).
	printf '%s\n' --help --usage --version --sync --quiet --lock-timeout --no-create --mode --json | sort >common
	for p in $(with_page); do
		help_options "$p" >help
		page_options "$p" >page
		[ -s help ]
		comm -13 common help | comm -23 - page >missing
		comm -13 help page | comm -23 - common >invented
		[ ! -s missing ] || { bad=1; echo "$p.1 does not name:" && cat missing; }
		[ ! -s invented ] || { bad=1; echo "$p has no such option, but $p.1:" && cat invented; }
	done
	[ "$bad" -eq 0 ]
	skip_without_page
}

@test "each manual page names every verb" {
	local p v bad=0

	for p in $(with_page); do
		for v in $(verbs "$p"); do
			page_text "$p" | grep -qE "^\.(It|Nm|Cm) .*\b$v\b" || { bad=1; echo "$p.1: $v"; }
		done
	done
	[ "$bad" -eq 0 ]
	skip_without_page
}

@test "help text fits 79 columns, and every verb begins with a capital as verbs() wants" {
	local p v

	for p in $(programs); do
		{
			"$p" --help
			for v in $(verbs "$p"); do
				"$p" "$v" --help
			done
		} >help
		run ! grep -E '.{80}' help
		if grep -q '^Usage:.* VERB ' help; then
			[ -n "$(verbs "$p")" ]
			run ! grep -E '^  [a-z][a-z-]* +[a-z]' help
		fi
	done
}

@test "the exit codes of README and mmutils(7) are those of the programs" {
	local codes

	codes=$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]*\)$/\1/p' "$MMU_SRC/man/mmutils.7" | tr '\n' ' ')
	[ "$codes" = "0 1 64 65 66 69 70 73 74 75 77 78 " ]
	for code in $codes; do
		sed -n '/^## Exit codes/,/^## What/p' "$MMU_SRC/README.md" | grep -qw "$code" || fail "README: $code"
	done
}
