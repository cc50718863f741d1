#compdef headrace
# Completion of headrace for zsh: headrace itself says what may come next.
_headrace() {
  local -a candidates
  candidates=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null | sed 's/:/\\:/g; s/\t/:/')}")
  if [[ -n "$candidates" ]]; then
    _describe headrace candidates
  else
    _files
  fi
}
# Found on the fpath it is the function itself; read by `eval "$(headrace completion zsh)"` it makes itself known.
if [[ "${funcstack[1]}" = _headrace ]]; then
  _headrace "$@"
else
  compdef _headrace headrace
fi
