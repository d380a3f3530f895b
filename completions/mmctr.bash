# bash completion for mmctr
_mmctr() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} file='' i opts n=0
	local common='--sync --quiet --lock-timeout= --help --version'

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'get set inc dec del ls init --help --version' -- "$cur")
		return
	fi
	case $verb in
	get) opts='--default= --hex --json --int64=string' ;;
	set) opts='--type=counter --type=gauge --help-text= --mode= --no-create' ;;
	inc | dec) opts='--old --wrap --saturate --limit= --hex --json --int64=string --mode= --no-create' ;;
	ls) opts='--hex --json --int64=string' ;;
	init) opts='--mode= --no-create' ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$opts $common" -- "$cur")
		[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] && continue
		n=$((n + 1))
		[ -n "$file" ] || file=${COMP_WORDS[i]}
	done
	if [ "$n" -eq 0 ]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [ "$n" -eq 1 ] || [[ $verb == get || $verb == del || $verb == ls ]]; then
		local IFS=$'\n'
		mapfile -t COMPREPLY < <(compgen -W "$(mmctr ls -- "$file" 2>/dev/null | cut -f 1)" -- "$cur")
	fi
}
complete -F _mmctr mmctr
