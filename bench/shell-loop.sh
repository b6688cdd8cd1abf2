#!/bin/sh
# The yardstick of bench/deltas.ts, the one place in this project where a shell is allowed: what a person would write.
# For every clone named as an argument: fetch, compare with the commit seen last, print what is new with its content.
for dir in "$@"; do
  read -r old <"$dir/seen"
  git --git-dir="$dir" -c maintenance.auto=false fetch --quiet --no-tags origin HEAD
  read -r new _ <"$dir/FETCH_HEAD"
  [ "$old" = "$new" ] && continue
  git --git-dir="$dir" diff --raw --no-renames --no-abbrev "$old" "$new" | cut -d ' ' -f 4 |
    git --git-dir="$dir" cat-file --batch
  echo "$new" >"$dir/seen"
done
