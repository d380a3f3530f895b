# bash completion for mmalloc-inspect(1)
_mmalloc_inspect() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} options='--json --help'

	case $verb in
	ls) options='--used --free --min= --sort=offset --sort=size --sort=state --json --help' ;;
	check) options='--json --quiet --help' ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		[[ ${COMPREPLY[*]} != --min= ]] || compopt -o nospace
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		if [ "$COMP_CWORD" -eq 1 ]; then
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W 'summary ls check' -- "$cur")
		fi
		compopt -o filenames
	fi
}
complete -F _mmalloc_inspect mmalloc-inspect
