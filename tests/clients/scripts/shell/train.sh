#!/bin/sh
# A plain shell script: what it is told comes as options and in the environment.
set -eu
echo "arguments: $*"
rows=$(tail -n +2 "$SM_CHANNEL_TRAIN/points.csv" | wc -l)
echo "rows=$rows"
mean=$(tail -n +2 "$SM_CHANNEL_TRAIN/points.csv" | awk -F, '{ sum += $1 } END { print sum / NR }')
printf '{"mean": %s, "hosts": %s}\n' "$mean" "$SM_HOSTS" > "$SM_MODEL_DIR/model.json"
