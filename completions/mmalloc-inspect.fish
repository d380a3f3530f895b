# fish completion for mmalloc-inspect(1)
set -l verbs summary ls check
complete -c mmalloc-inspect -n "not __fish_seen_subcommand_from $verbs" -a summary -d 'Kind, sizes, objects, health'
complete -c mmalloc-inspect -n "not __fish_seen_subcommand_from $verbs" -a ls -d 'List the blocks'
complete -c mmalloc-inspect -n "not __fish_seen_subcommand_from $verbs" -a check -d 'Verify everything'
complete -c mmalloc-inspect -l json -d 'Print JSON'
complete -c mmalloc-inspect -l help -d 'Help'
complete -c mmalloc-inspect -n '__fish_seen_subcommand_from ls' -l used -d 'Only blocks in use'
complete -c mmalloc-inspect -n '__fish_seen_subcommand_from ls' -l free -d 'Only free blocks'
complete -c mmalloc-inspect -n '__fish_seen_subcommand_from ls' -l min -x -d 'At least SIZE bytes'
complete -c mmalloc-inspect -n '__fish_seen_subcommand_from ls' -l sort -x -a 'offset size state' -d 'Order'
complete -c mmalloc-inspect -n '__fish_seen_subcommand_from check' -s q -l quiet -d 'Print nothing'
