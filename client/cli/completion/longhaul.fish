# fish completion for longhaul: longhaul completion fish > ~/.config/fish/completions/longhaul.fish

function __longhaul_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l lines (command longhaul complete -- $before[2..-1] "$current" 2>/dev/null)
    switch "$lines[1]"
        case :file
            __fish_complete_path "$current"
        case :folder
            __fish_complete_directories "$current" folder
        case '*'
            printf '%s\n' $lines
    end
end

complete --command longhaul --no-files --arguments '(__longhaul_complete)'
