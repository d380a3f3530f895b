#!/usr/bin/env bats
# mmalloc-inspect on real fmalloc heaps of both layouts.
load helper

# unpack NAME: tests/data/fmalloc/NAME.fm.xz as ./NAME.fm
unpack() {
	skip_unless xz
	local f

	for f; do
		xz -dc "$(fixture "fmalloc/$f.fm.xz")" >"$f.fm" # xz makes it sparse
	done
}

# live NAME: the offsets of its recorded allocations
live() {
	grep -v '^#' "$(fixture "fmalloc/$1.live.txt")" | sort -n | cut -d' ' -f1
}

# ls_equals_live NAME: every recorded allocation is listed, nothing else, and no block is shorter than it was asked for
ls_equals_live() {
	unpack "$1"
	run_rc 0 mmalloc-inspect ls --used "$1.fm"
	expect_silence
	diff <(cut -f1 <<<"$output") <(live "$1")
	join -j 1 <(cut -f1,2 <<<"$output" | tr '\t' ' ' | sort -k1,1) \
		<(grep -v '^#' "$(fixture "fmalloc/$1.live.txt")" | sort -k1,1) | awk '$2 < $3 { print; bad = 1 } END { exit bad }'
}

# damage NAME OFFSET CODE: check says 65 and names exactly this
damage() {
	unpack "$1"
	run_rc 65 mmalloc-inspect check "$1.fm"
	expect_one_line_error
	[ "${#lines[@]}" -eq 1 ]
	[ "$(cut -f1,2 <<<"${lines[0]}")" = "$2"$'\t'"$3" ]
	run_rc 65 mmalloc-inspect check --json "$1.fm"
	[[ $output == "{\"offset\":$2,\"code\":\"$3\",\"message\":\""* ]]
}

@test "ls --used is what the program that made the heap had allocated: packed" {
	ls_equals_live mix10k-2m
}

@test "ls --used is what the program had allocated: two arenas" {
	ls_equals_live arenas2-48m-sparse
}

@test "ls --used is what the program had allocated: aligned, segments and a direct-mapped block" {
	ls_equals_live aligned-200m-sparse
	run_rc 0 mmalloc-inspect ls --json --min=16M --used aligned-200m-sparse.fm
	expect_output '{"offset":67117072,"size":33554384,"state":"used","kind":"direct"}'
}

@test "a heap left by kill -9 outside of the allocator is whole" {
	unpack killed-clean-2m
	run_rc 0 mmalloc-inspect check killed-clean-2m.fm
	run_rc 0 mmalloc-inspect ls --used killed-clean-2m.fm
	# The free that was under way had not happened.
	diff <(cut -f1 <<<"$output") <({ live killed-clean-2m; echo 144616; } | sort -n)
}

@test "a torn heap: ls goes on behind the break and finds every live block" {
	unpack killed-torn-2m
	run_rc 65 mmalloc-inspect ls --used killed-torn-2m.fm
	expect_one_line_error "damaged at byte 171408"
	# The allocation that was under way is there as well.
	diff <(cut -f1 <<<"$output") <({ live killed-torn-2m; echo 170896; } | sort -n)
	run_rc 65 mmalloc-inspect check killed-torn-2m.fm
	[[ ${lines[0]} == "171408	chunk-size	"* ]]
	[[ ${lines[1]} == "8196	lock	"* ]]
}

@test "healthy heaps: check says nothing and exits 0" {
	local f

	for f in empty-64k list-64k mix10k-2m arenas2-48m-sparse aligned-200m-sparse; do
		unpack "$f"
		run_rc 0 mmalloc-inspect check "$f.fm"
		expect_output ""
		expect_silence
	done
}

@test "check: overwritten head" { damage corrupt-head-garbage 341240 chunk-size; }
@test "check: wrong footer" { damage corrupt-foot 74264 footer; }
@test "check: a small bin that is a cycle" { damage corrupt-smallbin-cycle 31760 bin-link; }
@test "check: a tree that leads to a used chunk" { damage corrupt-tree-child 19736 tree-link; }
@test "check: a zeroed page" { damage corrupt-page-zeroed 340304 chunk-size; }
@test "check: a lock left behind" { damage corrupt-lock 8196 lock; }
@test "check: a file cut short" { damage corrupt-truncated 300000 truncated; }

@test "a file alone is a summary, whatever it is called" {
	unpack list-64k
	mv list-64k.fm ls
	run_rc 0 mmalloc-inspect ls
	[[ ${lines[0]} == "kind	fmalloc (packed chunks, 1 arena, 1 block)" ]]
	run_rc 0 mmalloc-inspect summary --json ls
	expect_output "$(printf '%s' '{"kind":"fmalloc","file_size":65536,"used_bytes":264,"free_bytes":56000,' \
		'"overhead_bytes":9272,"unclaimed_bytes":0,"used_objects":11,"free_objects":1,"largest_free":56000,' \
		'"fragmentation":0.0,"healthy":true,"damages":0}')"
}

@test "summary of a damaged heap tells what can be read, and 65" {
	unpack corrupt-foot
	run_rc 65 mmalloc-inspect --json corrupt-foot.fm
	expect_one_line_error "first at byte 74264"
	[[ $output == *'"healthy":false'* && $output == *'"used_objects":1564'* ]]
}

@test "ls filters and sorts" {
	unpack mix10k-2m
	run_rc 0 mmalloc-inspect ls --free --min=100K mix10k-2m.fm
	[ "${#lines[@]}" -eq 1 ] && [[ $output == *"	free	top" ]]
	run_rc 0 mmalloc-inspect ls --sort=size mix10k-2m.fm
	diff <(cut -f2 <<<"$output") <(cut -f2 <<<"$output" | sort -rn)
	run_rc 0 mmalloc-inspect ls --sort=state mix10k-2m.fm
	diff <(cut -f3 <<<"$output") <(cut -f3 <<<"$output" | sort -r)
	run_rc 64 mmalloc-inspect ls --sort=colour mix10k-2m.fm
	run_rc 64 mmalloc-inspect ls --min=12x mix10k-2m.fm
}

@test "no verb writes to the file" {
	unpack corrupt-foot
	chmod 400 corrupt-foot.fm
	local before v

	before=$(sha256sum corrupt-foot.fm; stat -c %y corrupt-foot.fm)
	for v in summary ls check; do
		run mmalloc-inspect "$v" corrupt-foot.fm
	done
	[ "$before" = "$(sha256sum corrupt-foot.fm; stat -c %y corrupt-foot.fm)" ]
}
