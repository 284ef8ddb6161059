# shellcheck shell=bash
# What first.sh and record.sh share. Both run in the repository's root; all paths in them are seen from there.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

PYTHON="${PYTHON:-python3}" # the one that has torch
WORK="${WORK:-_build/gpu}"  # the bundle; what is unpacked and recorded goes there too
OUT="${OUT:-gpu-out}"       # what is to be brought back
GRACE=20                    # seconds that a stopped command gets to end by itself

export HF_HUB_OFFLINE=1 LRLIB_PROGRESS=off PYTHONUNBUFFERED=1

# CUDA gives a process eight queues to the card; with more streams, some would wait for others without need.
export CUDA_DEVICE_MAX_CONNECTIONS=32

fail() {
  echo "$*" >&2
  exit 1
}

# log_to FILE: what is printed from here on goes into a file of $OUT too. A signal that ends the script does not end
# the log, so that it holds the last line; `end_log` waits for it, but not for ever: a process that was left behind may
# still hold it open.
log_to() {
  mkdir -p "$OUT"
  exec > >(trap '' TERM INT HUP; exec tee "$OUT/$1") 2>&1
  log=$!
}

end_log() {
  exec >&- 2>&-
  for _ in {1..30}; do
    kill -0 "$log" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$log"
}

# mark NAME: says how long it took since the last mark, and notes it in $steps if there is such a file.
now() { date +%s%3N; }
began=$(now) steps=/dev/null
mark() {
  local here line
  here=$(now)
  printf -v line '%s: %d.%d s' "$1" $(((here - began) / 1000)) $(((here - began) % 1000 / 100))
  echo "-- $line"
  echo "$line" >> "$steps"
  began=$here
}

# watched SECONDS COMMAND...: runs a command in a session of its own and ends it after so many seconds: politely, and
# $GRACE seconds later for good. A signal to this script reaches it once, through `on_signal`, and not a second time
# with the group: lrlib takes a second one for "at once".
child='' asked=''
watched() {
  local seconds=$1 status
  shift
  [ -z "$asked" ] || return 143
  setsid timeout --foreground --kill-after="$GRACE" "$seconds" "$@" &
  child=$!
  while :; do
    status=0
    wait "$child" || status=$?
    kill -0 "$child" 2> /dev/null || break # else a signal came, and the command is still at it
  done
  child=''
  return "$status"
}

on_signal() {
  asked=yes
  echo "Asked to stop: what is going on ends first."
  [ -z "$child" ] || kill -TERM "$child" 2> /dev/null || true
}
trap on_signal TERM INT HUP

# race_if_asked: for $RACE_SECONDS, with $RACE_WORDS as more of its options. One that fails keeps nothing from going on.
race_if_asked() {
  [ "$RACE_SECONDS" -gt 0 ] || return 0
  # shellcheck disable=SC2086 # words
  watched $((RACE_SECONDS + 45)) "$PYTHON" benchmarks/gpu/race.py ${RACE_WORDS:-} --seconds "$RACE_SECONDS" \
    --out "$OUT/race.json" || echo "The race did not come to its end (status $?)."
  mark "race"
}

# set_up: checks that bundle and tree belong together, and puts what the bundle brings before Python's own packages.
# Nothing of the system is changed.
set_up() {
  local root=$PWD site part wheels
  command -v "$PYTHON" > /dev/null || fail "There is no $PYTHON here; PYTHON=... names the Python that has torch."
  [ -d "$WORK" ] || fail "$WORK is missing: make it where there is a network (make gpu-bundle), and bring it here."
  WORK=$(cd "$WORK" && pwd)
  OUT=$(cd "$OUT" && pwd)
  site=$WORK/site
  export PYTHONPATH="$root"
  "$PYTHON" -m cluster.bundle check --out "$WORK" || exit 1
  wheels=$(cd "$WORK/wheels" && printf '%s\n' *.whl)
  if [ ! -f "$site/.wheels" ] || [ "$(< "$site/.wheels")" != "$wheels" ]; then
    part=$(mktemp -d "$WORK/site.XXXXXX")
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-compile --no-cache-dir \
      --target "$part" "$WORK"/wheels/*.whl || fail "The wheels could not be installed into $part."
    echo "$wheels" > "$part/.wheels"
    rm -rf "$site"
    mv -T "$part" "$site"
  fi
  # `tree` has lrlib's version for its records.
  export PYTHONPATH="$root:$site:$WORK/tree"
  LRLIB_COMMIT=$(< "$WORK/tree/commit")
  export LRLIB_COMMIT LRLIB_CACHE="${LRLIB_CACHE:-$WORK/cache}"
  "$PYTHON" -m lrlib.cli presets > /dev/null || fail "lrlib does not run here; the lines above say why."
}
