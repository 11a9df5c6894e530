# Completion of stemctl in fish, made by `stemctl completion fish`.

function __stemctl_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    set -l program (string replace -r '^~' -- $HOME $before[1])
    set -l lines (_STEMCTL_COMPLETE=fish $program $before[2..-1] "$typed" 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path "$typed"
        case folders
            __fish_complete_directories "$typed"
        case words
            printf '%s\n' $lines[2..-1]
    end
end

complete -c stemctl -f -a '(__stemctl_complete)'
