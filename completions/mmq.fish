# fish completion for mmq(1)
set -l verbs push pop peek len stat init check
set -l none "not __fish_seen_subcommand_from $verbs"
set -l some "__fish_seen_subcommand_from $verbs"
set -l creating '__fish_seen_subcommand_from push init'
set -l framed '__fish_seen_subcommand_from push pop peek'
set -l printing '__fish_seen_subcommand_from pop peek'

complete -c mmq -n $none -f
complete -c mmq -n $none -a push -d 'Append items'
complete -c mmq -n $none -a pop -d 'Take the oldest items'
complete -c mmq -n $none -a peek -d 'Print the oldest items'
complete -c mmq -n $none -a len -d 'Number of ready items'
complete -c mmq -n $none -a stat -d 'What is in the queue'
complete -c mmq -n $none -a init -d 'Create a queue, with limits'
complete -c mmq -n $none -a check -d 'Verify everything'
complete -c mmq -s '?' -l help -d 'Print help'
complete -c mmq -s V -l version -d 'Print the version'

complete -c mmq -n $some -s s -l sync -d 'Exit 0 means on stable storage'
complete -c mmq -n $some -s q -l quiet -d 'Print no results'
complete -c mmq -n $some -l lock-timeout -x -d 'Wait so long for a lock'
complete -c mmq -n $creating -l no-create -d 'Do not create a missing file'
complete -c mmq -n $creating -s m -l mode -x -d 'Permissions of a new file'
complete -c mmq -n $framed -s 0 -l null -d 'Items end with a NUL'
complete -c mmq -n $framed -s f -l frame -x -a len -d Netstrings
complete -c mmq -n $framed -s r -l raw -d 'One item, its bytes only'
complete -c mmq -n $printing -s n -l count -x -d 'Up to N items'
complete -c mmq -n $printing -s a -l all -d 'All ready items'
complete -c mmq -n '__fish_seen_subcommand_from push' -s i -l id -d 'Print the ids'
complete -c mmq -n '__fish_seen_subcommand_from stat check' -l json -d 'Print JSON'
complete -c mmq -n '__fish_seen_subcommand_from init' -l max-bytes -x -d 'Payload bytes at most'
complete -c mmq -n '__fish_seen_subcommand_from init' -l max-items -x -d 'Items at most'
complete -c mmq -n '__fish_seen_subcommand_from init' -l when-full -x -a 'fail drop-oldest' -d 'What a push then does'
complete -c mmq -n '__fish_seen_subcommand_from init' -l size -x -d 'Reserve so much space now'
complete -c mmq -n '__fish_seen_subcommand_from init' -l fixed-size -d 'Never grow beyond it'
