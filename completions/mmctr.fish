# fish completion for mmctr
function __mmctr_names
	set -l words (commandline -opc)
	for word in $words[3..-1]
		if not string match -q -- '-*' $word
			mmctr ls -- $word 2>/dev/null | cut -f 1
			return
		end
	end
end

set -l verbs get set inc dec del ls init
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a get -d 'print the value of counters'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a set -d 'store a value'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a inc -d 'add to a counter'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a dec -d 'subtract from a counter'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a del -d 'remove counters'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a ls -d 'list counters'
complete -c mmctr -n "not __fish_seen_subcommand_from $verbs" -f -a init -d 'create a file'
complete -c mmctr -n "__fish_seen_subcommand_from $verbs" -a '(__mmctr_names)'
complete -c mmctr -n "__fish_seen_subcommand_from $verbs" -s s -l sync -d 'exit 0 means on stable storage'
complete -c mmctr -n "__fish_seen_subcommand_from $verbs" -s q -l quiet -d 'print nothing'
complete -c mmctr -n "__fish_seen_subcommand_from $verbs" -l lock-timeout -x -d 'wait so long for a lock'
complete -c mmctr -n "__fish_seen_subcommand_from set inc dec init" -l no-create -d 'do not create a missing file'
complete -c mmctr -n "__fish_seen_subcommand_from set inc dec init" -s m -l mode -x -d 'permissions of a new file'
complete -c mmctr -n "__fish_seen_subcommand_from get inc dec ls" -s x -l hex -d 'print the bit pattern'
complete -c mmctr -n "__fish_seen_subcommand_from get inc dec ls" -l json -d 'print JSON'
complete -c mmctr -n "__fish_seen_subcommand_from get inc dec ls" -l int64 -x -a string -d 'integers beyond 2^53'
complete -c mmctr -n "__fish_seen_subcommand_from get" -s d -l default -x -d 'value of an absent counter'
complete -c mmctr -n "__fish_seen_subcommand_from set" -l type -x -a 'counter gauge' -d 'what it is for Prometheus'
complete -c mmctr -n "__fish_seen_subcommand_from set" -l help-text -x -d 'help text for Prometheus'
complete -c mmctr -n "__fish_seen_subcommand_from inc dec" -s o -l old -d 'print the value before'
complete -c mmctr -n "__fish_seen_subcommand_from inc dec" -l wrap -d 'wrap on overflow'
complete -c mmctr -n "__fish_seen_subcommand_from inc dec" -l saturate -d 'saturate on overflow'
complete -c mmctr -n "__fish_seen_subcommand_from inc dec" -l limit -x -d 'refuse what lies outside LO:HI'
