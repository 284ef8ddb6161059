#!/usr/bin/env bash
# The first thing to run on a GPU machine without network: does all of it work there? About two minutes.
#
#     bash cluster/first.sh
#
# Results go to $OUT (gpu-out): first.log, steps.txt with the seconds of each step, selftest.json, race.json. Exit
# status 1 if something is missing or a line of the self test fails. SELFTEST_SECONDS (110) is the most that the self
# test may take. RACE_SECONDS (0) are for a race of ways to train after it, on noise, where record.sh is to have all its
# time; RACE_WORDS are more of its options, as "--networks resnet50".
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SELFTEST_SECONDS="${SELFTEST_SECONDS:-110}"
RACE_SECONDS="${RACE_SECONDS:-0}"

log_to first.log
trap end_log EXIT
steps=$OUT/steps.txt
: > "$steps"
set_up
mark "tree checked, wheels installed"

echo "$(uname -sm), $(nproc) cores, $(awk '/MemTotal/ { printf "%d GiB memory", $2 / 1048576 }' /proc/meminfo)"
if command -v nvidia-smi > /dev/null; then
  nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.max.sm --format=csv,noheader || true
else
  echo "There is no nvidia-smi here."
fi
"$PYTHON" - << 'END'
import platform
import torch

there = f"a {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no GPU"
print(f"Python {platform.python_version()}, torch {torch.__version__}, CUDA {torch.version.cuda}; torch sees {there}")
END
mark "torch imported"

# The other half may come later.
for half in "$WORK"/[ab]/[ab].bin; do
  [ ! -f "$half" ] || "$PYTHON" -m cluster.carry check "$half"
done
mark "data checked"

status=0 race=--race
[ "$RACE_SECONDS" -eq 0 ] || race=--no-race # the longer one times the same
watched "$SELFTEST_SECONDS" "$PYTHON" -m lrlib.cli doctor --gpu "$race" --seconds "$((SELFTEST_SECONDS * 6 / 7))" \
  --out "$OUT/selftest.json" || status=$?
mark "self test"
if [ "$status" -eq 124 ] && grep -q '"failed": 0,' "$OUT/selftest.json" 2> /dev/null; then
  echo "All checks hold; the times of runs in company were not finished within $SELFTEST_SECONDS s."
elif [ "$status" -eq 124 ]; then
  fail "The self test took longer than $SELFTEST_SECONDS s and was ended; SELFTEST_SECONDS gives it more."
elif [ "$status" -ne 0 ]; then
  fail "The self test failed (status $status): do not record here before its lines are understood."
fi
race_if_asked
echo "All is well after $SECONDS s. Next: bash cluster/record.sh"
