# fish completion for mmcat(1)
complete -c mmcat -s o -l offset -x -d 'Start at byte OFF'
complete -c mmcat -s n -l length -x -d 'At most LEN bytes'
complete -c mmcat -s r -l range -x -d 'A range OFF:LEN'
complete -c mmcat -l exact -d 'Fewer bytes than asked for is an error'
complete -c mmcat -s x -l hex -d 'Hex and text'
complete -c mmcat -l raw -d 'The bytes themselves'
complete -c mmcat -s '?' -l help -d 'Print help'
complete -c mmcat -s V -l version -d 'Print the version'
