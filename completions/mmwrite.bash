# bash completion for mmwrite(1)
_mmwrite() {
	case $3 in
	-o | -m | --offset | --mode | --lock-timeout) return ;;
	esac
	if [[ $2 == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-o -a -m -s -q --offset= --append --fixed-size --no-create --mode=
			--sync --quiet --lock-timeout= --help --usage --version' -- "$2")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	fi
}
complete -o bashdefault -o default -F _mmwrite mmwrite
