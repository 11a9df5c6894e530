# Completion of stemctl in bash, made by `stemctl completion bash`.

_stemctl_completion() {
    local line how program=${1/#\~/$HOME} IFS=$'\n'
    COMPREPLY=()
    while read -r line; do
        if [[ -z $how ]]; then
            how=$line
        else
            COMPREPLY+=("$line")
        fi
    done < <(_STEMCTL_COMPLETE=bash "$program" "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    case $how in
        open) compopt -o nospace 2>/dev/null ;;
        files) compopt -o default 2>/dev/null ;;
        folders) compopt -o dirnames 2>/dev/null ;;
    esac
    return 0
}

complete -F _stemctl_completion stemctl
