#!/bin/sh
# The yardstick of bench/workspace-apply.ts for a plan that changes nothing: asks git for the status of each folder named
# on standard input.
xargs -P 4 -n 1 sh -c 'git -C "$0" status --porcelain=v2'
