# bash completion for mmcat(1)
_mmcat() {
	case $3 in
	-o | -n | -r | --offset | --length | --range) return ;;
	esac
	if [[ $2 == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-o -n -r -x --offset= --length= --range= --exact --hex --raw
			--help --usage --version' -- "$2")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	fi
}
complete -o bashdefault -o default -F _mmcat mmcat
