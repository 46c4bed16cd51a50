#!/usr/bin/env bash
# The recipes of docs/operations.md, run as they stand there: `bash tests/runbook/run.sh PATH/TO/entente`.
#
# Around a recipe this script makes the trouble that it is for, and afterwards looks whether it is gone. Processes listen
# on ports of 127.0.0.1 that the system chooses, and all files are in a temporary folder.
set -euo pipefail

entente=$(realpath "${1:?which binary: bash tests/runbook/run.sh target/release/entente}")
# shellcheck source=recipe.sh
source "$(dirname "${BASH_SOURCE[0]}")/recipe.sh"
patience=${ENTENTE_CI_WAIT:-60}

scratch=$(mktemp -d)
mkdir "$scratch/bin"
ln -s "$entente" "$scratch/bin/entente"
export PATH="$scratch/bin:$PATH"
DATA=$scratch/data BACKUP=$scratch/backup
cd "$scratch"

# By name: the process, where it serves, and how it is started.
declare -A pids=() places=() commands=()

# The recipe that runs.
running=

cleanup() {
  local pid
  [[ -z $running ]] || printf 'failed: the recipe %s ended with an error\n' "$running"
  for pid in "${pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

fail() {
  printf 'failed: %s\n' "$*"
  tail -n 5 "$scratch"/*.log | sed 's/^/| /'
  exit 1
}

# Starts a process that was given a command, at the place where it was before.
start() {
  local name=$1 deadline=$((SECONDS + patience)) place=
  local -a command
  read -ra command <<<"${commands[$name]}"
  # Where it served before is no answer, and the process may not have made the file yet when it is looked at.
  : >"$name.out"
  entente "${command[@]}" --listen "${places[$name]:-127.0.0.1:0}" ${options:-} >"$name.out" 2>>"$name.log" &
  pids[$name]=$!
  until [[ -n $place ]]; do
    kill -0 "${pids[$name]}" 2>/dev/null || fail "$name ended before it served"
    ((SECONDS < deadline)) || fail "$name did not serve in time"
    sleep 0.05
    place=$(sed -n 's/^Serving on //p' "$name.out")
  done
  places[$name]=$place
}

# Stops a process as a supervisor does, and waits for its end.
stop() {
  local code=0
  kill -TERM "${pids[$1]}"
  wait "${pids[$1]}" || code=$?
  unset "pids[$1]"
  ((code == 0)) || fail "$1 ended with exit code $code"
}

# Runs the recipe of a name.
recipe() {
  local text
  printf '\n-- %s\n' "$1"
  text=$(recipe_text "$1") || fail "docs/operations.md has no recipe $1"
  running=$1
  eval "$text"
  running=
}

# The answer to a question must have something in it.
expect() {
  local wanted=$1
  shift
  "$@" >answer 2>&1 || true
  grep -qF -- "$wanted" answer || { cat answer; fail "no \`$wanted\` in the answer of: $*"; }
}

# What is asked of the services must be answered as before.
ask_all() {
  entente events list -o json
  entente trade datasets -o json
  entente programmes list -o json
}

unchanged() {
  ask_all >now
  cmp -s before now || fail "after $1 the answers are others"
}

record() {
  entente events import - <<ROWS >/dev/null
id,kind,status,start_date,title_en,countries,source_title,source_publisher
$1,state visit,concluded,$2,A visit,KAZ;CHN,Programme,Embassy
ROWS
}

options='--log info --reserve-mib 1 --ballast-mib 1 --cache-mib 16'
for role in trade events culture; do
  commands[$role]="serve $role --data $DATA"
  start "$role"
done
commands[gateway]="serve gateway --trade http://${places[trade]} --events http://${places[events]}
  --culture http://${places[culture]}"
commands[gateway]=${commands[gateway]//$'\n'/ }
start gateway
export ENTENTE_SERVER=http://${places[gateway]}
entente status --wait 60 >/dev/null
entente trade datasets create customs --name Customs --title 'Trade by country' --publisher 'A customs service' \
  --currency USD >/dev/null
record first 2013-09-07
record second 2024-07-02
ask_all >before

recipe backup

recipe restore
unchanged 'a restore'

printf '\n-- a view with a flipped byte is noticed at the start\n'
stop trade
printf '\x55' | dd of="$DATA/trade/view/db" bs=1 seek=200 conv=notrunc status=none
lines=$(wc -l <trade.log)
start trade
entente status --wait 60 >/dev/null
# sled finds it, or comes back as it was before.
tail -n "+$((lines + 1))" trade.log | grep -qE 'rebuilt from the journal|was replayed into the view' ||
  fail 'nothing was said of a damaged view'
unchanged 'a damaged view'

recipe damaged-view
unchanged 'a view that was made anew'

segment=$(ls "$DATA"/trade/journal/*.journal | head -n 1)
printf '\x55' | dd of="$segment" bs=1 seek=150 conv=notrunc status=none
expect "$segment at byte 64, entry 1" entente verify --only trade
expect 'JOURNAL DAMAGED' entente verify --only trade
recipe damaged-journal
unchanged 'a damaged journal'

stop events
options="$options --reserve-mib 16777216"
options=${options/--reserve-mib 1 /}
start events
options='--log info --reserve-mib 1 --ballast-mib 1 --cache-mib 16'
until entente events list >/dev/null 2>&1; do sleep 0.1; done
expect 'STORAGE_FULL' record third 2025-06-16
expect 'REFUSES WRITES' entente status
recipe disk-full
for role in trade events culture; do
  stop "$role"
  start "$role"
done
entente status --wait 60 >/dev/null
unchanged 'a full disk'

stop culture
rm -rf "$DATA/culture"
recipe lost-node
unchanged 'a lost node'

stop trade && start trade
recipe rolling-restart
unchanged 'a rolling restart'
for process in gateway trade events culture; do
  stop "$process"
done

commands[whole]="serve --data $DATA --tokens tokens.json --tls-cert certs/gateway.pem --tls-key certs/gateway.key"
entente certs --dir certs --name localhost >/dev/null
(umask 077; entente token create desk-7 --role editor --days 90 --tokens tokens.json >desk-7.token)
start whole
export ENTENTE_SERVER=https://localhost:${places[whole]##*:} ENTENTE_CA=certs/ca.pem
cp desk-7.token old.token
recipe tokens
expect 'visit' entente events list --token-file desk-7.token
until ! entente events list --token-file old.token >/dev/null 2>&1; do sleep 0.1; done
expect 'NOT_LOGGED_IN' entente events list --token-file old.token
export ENTENTE_TOKEN_FILE=desk-7.token
recipe certificates
until grep -q 'certificates have changed' whole.log; do sleep 0.1; done
expect 'All is well' entente status
cp certs/ca.pem before.pem
recipe authority
deadline=$((SECONDS + patience))
until entente status >/dev/null 2>&1; do
  ((SECONDS < deadline)) || fail 'the new authority does not prove the server'
  sleep 0.1
done
if entente status --ca before.pem >/dev/null 2>&1; then
  fail 'the old authority still proves who the server is'
fi
stop whole

printf '\nall recipes work as they are written\n'
