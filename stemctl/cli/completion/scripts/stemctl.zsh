#compdef stemctl
# Completion of stemctl in zsh, made by `stemctl completion zsh`.

_stemctl() {
    local -a lines parts words_alone words_open shown_alone shown_open before
    local line text
    (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
    lines=("${(@f)$(_STEMCTL_COMPLETE=zsh "${${(Q)words[1]}/#\~/$HOME}" "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $lines[1] in
        files) _files; return ;;
        folders) _files -/; return ;;
    esac
    for line in "${(@)lines[2,-1]}"; do
        parts=("${(@s:	:)line}")
        text=$parts[2]
        [[ -n $parts[3] ]] && text="$text  -- $parts[3]"
        if [[ $parts[1] == open ]]; then
            words_open+=("$parts[2]")
            shown_open+=("$text")
        else
            words_alone+=("$parts[2]")
            shown_alone+=("$text")
        fi
    done
    (( $#words_open )) && compadd -S '' -d shown_open -a words_open
    (( $#words_alone )) && compadd -d shown_alone -a words_alone
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _stemctl "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _stemctl stemctl
fi
