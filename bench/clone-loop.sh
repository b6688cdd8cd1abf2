#!/bin/sh
# The yardstick of bench/workspace-apply.ts: what a person would write. Reads `origin folder` lines; makes each folder a
# clone whose objects are linked from the origin's, and asks git for its status once.
xargs -P 4 -n 2 sh -c 'git clone --quiet --local "$0" "$1" && git -C "$1" status --porcelain=v2'
