#compdef longhaul
# zsh completion for longhaul: source <(longhaul completion zsh), after compinit; or save it as _longhaul in $fpath

_longhaul() {
  local line value
  local -a before lines described
  before=("${(@Q)words[2,CURRENT-1]}")
  (( CURRENT > 2 )) || before=()
  lines=("${(@f)$(command longhaul complete -- "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
  case "${lines[1]}" in
    (:file) _files; return ;;
    (:folder) _files -/; return ;;
  esac
  for line in "${lines[@]}"; do
    [[ -n $line ]] || continue
    # _describe separates value and description by a colon
    value="${line%%$'\t'*}"
    value="${${value//\\/\\\\}//:/\\:}"
    if [[ $line == *$'\t'* ]]; then described+=("$value:${line#*$'\t'}"); else described+=("$value"); fi
  done
  (( $#described )) && _describe -t values longhaul described
}

if [[ "${funcstack[1]}" == _longhaul ]]; then
  _longhaul "$@"
elif (( $+functions[compdef] )); then
  compdef _longhaul longhaul
fi
