# bash completion for mmq(1)
_mmq() {
	local verb=${COMP_WORDS[1]} common='-s --sync -q --quiet --lock-timeout=' frames='-0 --null --frame=len --raw' words

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'push pop peek len stat init check --help --version' -- "$2")
		return
	fi
	case $3 in
	-n | --count | -m | --mode | --lock-timeout | --max-items | --max-bytes | --size) return ;;
	--when-full)
		mapfile -t COMPREPLY < <(compgen -W 'fail drop-oldest' -- "${2#=}")
		return
		;;
	esac
	[[ $2 == -* ]] || return
	case $verb in
	push) words="--id --no-create -m --mode= $frames" ;;
	pop | peek) words="-n --count= --all $frames" ;;
	stat | check) words=--json ;;
	init) words='--max-bytes= --max-items= --when-full= --size= --fixed-size --no-create -m --mode=' ;;
	len) words= ;;
	*) return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$common $words --help --usage --version" -- "$2")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}
complete -o bashdefault -o default -F _mmq mmq
