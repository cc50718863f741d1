# Completion of headrace for fish: headrace itself says what may come next.
function __headrace_candidates
    set -l words (commandline -opc)
    $words[1] complete -- $words[2..] (commandline -ct) 2>/dev/null
end
complete -c headrace -f -n 'test -n "$(__headrace_candidates)"' -a '(__headrace_candidates)'
complete -c headrace -F -n 'test -z "$(__headrace_candidates)"'
