#!/usr/bin/env bash
# Record studies on a GPU machine without network, within a time, and pack what is to be brought back.
#
#     [MINUTES=9.5] [STUDIES="resnet50-gpu laptop-map-gpu:16"] bash cluster/record.sh
#
# STUDIES        in this order: NAME of studies/NAME.toml or the path of a file, then if wanted ":" and the runs at a
#                time, then if wanted ":" and the most minutes for it; "+NAME:RUNS" after it is another study that
#                is done at the same time, as source-gpu:2+laptop-map-gpu:22
# TOGETHER       runs at a time where STUDIES does not say (5)
# MINUTES        from the start of this script to its end, with packing (9.5)
# PATH_          how to compute (graph)
# WHOLE          1: begin no run that the time would cut, for machines that keep no checkpoints (0)
# DETERMINISTIC  1: only algorithms that repeat to the bit (0)
# RACE_SECONDS   for the race of ways to train before it; 0: none (90)
# RACE_WORDS     more options of the race, as "--networks resnet50"
# RESERVE        seconds that are kept for the last epochs and for packing (40)
# PACK_EVERY     seconds between packings of what there is so far, for machines that end without a word (45; 0: none)
# LRLIB_DATA     where CIFAR-10 is, if it is there already; else it is unpacked from the bundle
#
# Results go to $OUT (gpu-out): records.tar.gz, record.log, race.json, and checkpoints/STUDY/*.pt of runs that were
# cut, up to MOST_FILES (8) files of MOST_MIB (16), MOST_MIB_IN_ALL (64). Runs go on from checkpoints in
# $WORK/checkpoints (_build/gpu/checkpoints); what is in lrlib/recorded is not done again. Asked to stop (SIGTERM), it
# lets the epochs end, packs and ends.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

STUDIES="${STUDIES:-resnet50-gpu laptop-map-gpu:16}"
TOGETHER="${TOGETHER:-5}"
MINUTES="${MINUTES:-9.5}"
PATH_="${PATH_:-graph}"
WHOLE="${WHOLE:-0}"
DETERMINISTIC="${DETERMINISTIC:-0}"
RACE_SECONDS="${RACE_SECONDS:-90}"
RESERVE="${RESERVE:-40}"
PACK_EVERY="${PACK_EVERY:-45}"
MOST_FILES="${MOST_FILES:-8}"
MOST_MIB="${MOST_MIB:-16}"
MOST_MIB_IN_ALL="${MOST_MIB_IN_ALL:-64}"
LEAST=15 # seconds below which no study is begun

number() { [[ "$2" =~ ^[0-9]+([.][0-9]+)?$ ]] || fail "$1 must be a number, got '$2'."; }
whole() { [[ "$2" =~ ^[0-9]+$ ]] || fail "$1 must be a whole number, got '$2'."; }
seconds_of() { awk -v minutes="$1" 'BEGIN { printf "%d", 60 * minutes }'; }
minutes_of() { awk -v seconds="$1" 'BEGIN { printf "%.3f", seconds / 60 }'; }

# bring_in NAME: what other jobs have left of a study.
bring_in() {
  local file stem to=$WORK/records/$1
  mkdir -p "$to"
  for file in "lrlib/recorded/$1"/*.json "$WORK/checkpoints/$1"/*.pt; do
    stem=$(basename "${file%.*}")
    if [ -f "$file" ] && [ ! -f "$to/$stem.json" ] && [ ! -f "$to/$stem.pt" ]; then
      cp "$file" "$to/"
    fi
  done
}

# record STUDY TOGETHER SECONDS [STUDY:RUNS ...]
record() {
  local name words entry
  name=$(basename "$1" .toml)
  bring_in "$name"
  words=(study run "$1" --path "$PATH_" --together "$2" --minutes "$(minutes_of "$3")")
  for entry in "${@:4}"; do
    bring_in "$(basename "${entry%:*}" .toml)"
    words+=(--beside "$entry")
  done
  [ "$WHOLE" = 0 ] || words+=(--whole)
  [ "$DETERMINISTIC" = 0 ] || words+=(--deterministic)
  words+=(--out "$WORK/records/$name")
  echo "lrlib ${words[*]}"
  watched $(($3 + RESERVE / 2)) "$PYTHON" -m lrlib.cli "${words[@]}"
}

# pack: records into one file, and each checkpoint that is small enough as it is, by the limits of $OUT. What is there
# from the last time is replaced whole, as somebody may be copying it.
pack() {
  local file name stem bytes all count fresh=$OUT/.checkpoints.part
  rm -rf "$fresh" && mkdir "$fresh"
  if [ -d "$WORK/records" ]; then
    tar -czf "$OUT/.records.part" -C "$WORK" --exclude='*.pt' --exclude='*.lock' --exclude='*.tmp' records
    mv "$OUT/.records.part" "$OUT/records.tar.gz"
    count=$(find "$WORK/records" -name '*.json' | wc -l) bytes=$(stat -c %s "$OUT/records.tar.gz")
    echo "records.tar.gz: $count records, $bytes bytes"
  fi
  for file in "$WORK"/records/*/*.pt; do
    [ -f "$file" ] || continue
    name=$(basename "$(dirname "$file")") stem=$(basename "$file" .pt) bytes=$(stat -c %s "$file")
    all=$(du -sb --exclude=checkpoints "$OUT" | cut -f1) count=$(find "$OUT" -type f ! -path "*/checkpoints/*" | wc -l)
    if [ "$bytes" -gt $((MOST_MIB << 20)) ]; then
      echo "$name/$stem.pt stays behind: $((bytes >> 20)) MiB, and $MOST_MIB may be brought back in one file."
    elif [ "$count" -ge "$MOST_FILES" ] || [ $((all + bytes)) -gt $((MOST_MIB_IN_ALL << 20)) ]; then
      echo "$name/$stem.pt stays behind: $MOST_FILES files and $MOST_MIB_IN_ALL MiB may be brought back."
    else
      mkdir -p "$fresh/$name"
      cp "$file" "$fresh/$name/"
      echo "checkpoints/$name/$stem.pt: $bytes bytes"
    fi
  done
  rm -rf "$OUT/checkpoints"
  rmdir "$fresh" 2> /dev/null || mv "$fresh" "$OUT/checkpoints"
}

# pack_now_and_then: a machine may end, or be taken away, at any moment; what $OUT holds is as old as $PACK_EVERY then.
pack_now_and_then() {
  [ "$PACK_EVERY" -gt 0 ] || return 0
  while sleep "$PACK_EVERY"; do
    pack
  done
}

# shellcheck disable=SC2329 # called by the trap
finish() {
  local status=$?
  trap - EXIT
  set +e
  { kill -STOP "$packer"; pkill -P "$packer"; kill -KILL "$packer"; } 2> /dev/null # stopped, it begins nothing new
  pack
  mark "packed"
  echo "$OUT holds what is to be brought back, after $SECONDS s."
  end_log
  exit "$status"
}

number MINUTES "$MINUTES"
for name in TOGETHER RACE_SECONDS RESERVE PACK_EVERY MOST_FILES MOST_MIB MOST_MIB_IN_ALL; do
  whole "$name" "${!name}"
done
for name in WHOLE DETERMINISTIC; do
  [[ "${!name}" =~ ^[01]$ ]] || fail "$name must be 0 or 1, got '${!name}'."
done
plan=()
there() {
  local file=$1
  [[ "$1" == *.toml ]] || file=studies/$1.toml
  [ -f "$file" ] || fail "There is no study $file."
}
for entry in $STUDIES; do
  IFS=+ read -r -a parts <<< "$entry"
  IFS=: read -r study together most <<< "${parts[0]}"
  whole "Runs at a time of $study" "${together:-$TOGETHER}"
  number "Minutes of $study" "${most:-$MINUTES}"
  there "$study"
  for part in "${parts[@]:1}"; do
    whole "Runs at a time of ${part%:*}" "${part##*:}"
    there "${part%:*}"
  done
  plan+=("$study ${together:-$TOGETHER} $(seconds_of "${most:-$MINUTES}") ${parts[*]:1}")
done
limit=$(seconds_of "$MINUTES")

log_to record.log
trap end_log EXIT
set_up
pack_now_and_then > /dev/null 2>&1 &
packer=$!
trap finish EXIT
mark "tree checked, wheels installed"

if [ -n "${LRLIB_DATA:-}" ]; then
  echo "CIFAR-10 is looked for in LRLIB_DATA, $LRLIB_DATA."
else
  export LRLIB_DATA=$WORK/cifar10
  if [ ! -f "$LRLIB_DATA/whole" ]; then
    "$PYTHON" -m cluster.carry unpack "$WORK/a/a.bin" "$WORK/b/b.bin" "$LRLIB_DATA" || exit 1
    touch "$LRLIB_DATA/whole"
  fi
  mark "data unpacked"
fi
"$PYTHON" -m lrlib.cli data check || fail "The data are not as they should be; the line above says why."
mark "data verified"

failed=0
race_if_asked

for entry in "${plan[@]}"; do
  read -r study together most others <<< "$entry"
  left=$((limit - RESERVE - SECONDS))
  [ "$left" -le "$most" ] || left=$most
  if [ -n "$asked" ]; then
    break
  elif [ "$left" -lt "$LEAST" ]; then
    echo "$study: no time is left for it."
    continue
  fi
  # shellcheck disable=SC2086 # words
  record "$study" "$together" "$left" $others || { failed=$?; echo "$study: ended with status $failed."; }
  mark "$study"
done
[ -z "$asked" ] || failed=143
exit "$failed"
