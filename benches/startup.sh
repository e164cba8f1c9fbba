#!/bin/sh
# How long `validate` and `render` of the quickstart take from start to exit, in a release build. Aim: under 20 ms.
#
#   benches/startup.sh [RUNS]
set -eu
cd "$(dirname "$0")/.."
runs=${1:-100}
cargo build --quiet --release --no-default-features
program=${CARGO_TARGET_DIR:-target}/release/hubform

for verb in validate render; do
  best=
  for round in 1 2 3; do
    began=$(date +%s%N)
    i=0
    while [ "$i" -lt "$runs" ]; do
      "$program" --sandbox "$verb" stacks/quickstart >/dev/null 2>&1
      i=$((i + 1))
    done
    took=$((($(date +%s%N) - began) / runs / 1000))
    if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
  done
  echo "$verb: $((best / 1000)).$(printf %03d $((best % 1000))) ms from start to exit, mean of $runs runs, best of 3 rounds"
  if [ "$best" -ge 20000 ]; then
    echo "$verb takes 20 ms or more" >&2
    exit 1
  fi
done
