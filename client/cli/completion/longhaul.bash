# bash completion for longhaul: source <(longhaul completion bash)

_longhaul() {
  local COMPREPLY_VALUE quoted line="${COMP_LINE:0:COMP_POINT}" current prefix at count=0
  local -a words lines
  # Bash splits words at : and = too: join what has no space between it.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    if [[ $at -eq 0 || $line == [[:space:]]* ]]; then
      line="${line#"${line%%[![:space:]]*}"}"
      count=$((count + 1))
      words[count - 1]=''
    fi
    if [[ $at -eq COMP_CWORD ]]; then
      words[count - 1]+="$line"
    else
      words[count - 1]+="${COMP_WORDS[at]}"
      line="${line#"${COMP_WORDS[at]}"}"
    fi
  done
  # Nothing that was typed is evaluated: only quotes and backslashes are removed.
  for ((at = 0; at < count; at++)); do words[at]="${words[at]//[\\\'\"]/}"; done
  current="${words[count - 1]}"
  COMPREPLY=()
  IFS=$'\n' read -r -d '' -a lines < <(command longhaul complete -- "${words[@]:1}" 2>/dev/null)
  case "${lines[0]-}" in
    :file | :folder)
      compopt -o default 2>/dev/null
      return
      ;;
  esac
  # Bash replaces only what follows the last : or =.
  prefix="${current%"${2//[\\\'\"]/}"}"
  for line in ${lines[@]+"${lines[@]}"}; do
    line="${line%%$'\t'*}"
    [[ $line == "$current"* ]] || continue
    line="${line#"$prefix"}"
    printf -v quoted %q "$line"
    # After an open quote a value that needs quoting could end it.
    case "${COMP_WORDS[COMP_CWORD]}" in
      [\'\"]*) [[ $quoted == "$line" ]] || continue ;;
    esac
    COMPREPLY+=("$quoted")
  done
}

complete -F _longhaul longhaul
