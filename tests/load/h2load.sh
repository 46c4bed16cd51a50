#!/usr/bin/env bash
# Holds `entente load` against h2load on one endpoint: figures by their names, over gRPC, with as many connections and
# calls under way. The two must agree on how many calls a second the server answers at most: within a tenth, or the share
# that is given.
#
#   ENTENTE=target/release/entente bash tests/load/h2load.sh [SECONDS [SHARE]]
#
# The exit code is 0 where they agree, 1 where they do not, and 2 where it cannot be measured.
#
# The server has a core of its own, and so has whoever asks: else each generator would be measured by what it leaves the
# server. h2load sends the same bytes again and again, and so is asked for one figure; `entente load` asks for all of the
# demonstration by turns. It needs two cores, h2load (Debian's package nghttp2-client), taskset, Python, and `entente` in
# the PATH or named by ENTENTE, as a release build.
set -euo pipefail

readonly seconds=${1:-5} share=${2:-0.1}
readonly entente=${ENTENTE:-entente}
readonly connections=4 streams=100 rounds=3

cannot() {
  echo "not measured: $*" >&2
  exit 2
}

[[ $share =~ ^[0-9]*\.?[0-9]+$ ]] || cannot "$share is no share"
for tool in h2load taskset python3 "$entente"; do
  command -v "$tool" >/dev/null || cannot "$tool is not here"
done
(($(nproc) >= 2)) || cannot 'there is one core'

scratch=$(mktemp -d) || cannot 'there is no folder for what is written'
server=
cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

: >"$scratch/log"
taskset -c 0 "$entente" serve --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
server=$!
address=
for _ in {1..150}; do
  address=$(sed -nE 's/.*[Ss]erving on ([0-9.]+:[0-9]+).*/\1/p;' "$scratch/log" | head -1)
  [[ -n $address ]] && break
  sleep 0.2
done
[[ -n $address ]] || cannot "the server did not start: $(<"$scratch/log")"

export ENTENTE_SERVER=http://$address
"$entente" import demo >/dev/null || cannot 'the demonstration is not imported'
# One figure's name as gRPC sends it: no compression, the length of the message, the first field, its length.
"$entente" trade list --dataset china-customs --output json | python3 -c '
import json, struct, sys
name = json.load(sys.stdin)["observations"][0]["name"].encode()
message = b"\n" + bytes([len(name)]) + name
sys.stdout.buffer.write(struct.pack(">BI", 0, len(message)) + message)' >"$scratch/message" ||
  cannot 'there is no figure to ask for'

cat >"$scratch/figures.toml" <<TOML
name = "figures"
duration = "${seconds}s"
warm_up = "1s"
connections = $connections
# More than the server answers, so that as many calls as may be are under way at any time, as h2load has it.
max_in_flight = $((connections * streams))
arrival.rate = 120000

[[mix]]
call = "point-read"
TOML

theirs() {
  taskset -c 1 h2load -c "$connections" -m "$streams" -t 1 -D "$seconds" --warm-up-time=1s -d "$scratch/message" \
    -H 'content-type: application/grpc' -H 'te: trailers' "http://$address/entente.trade.v1.TradeService/GetObservation" |
    sed -nE 's/^finished in .*, ([0-9.]+) req\/s.*/\1/p'
}

ours() {
  # The exit code is 0 whatever was not made: no threshold says anything.
  taskset -c 1 "$entente" load "$scratch/figures.toml" --quiet --json "$scratch/result.json" \
    >/dev/null || cannot 'the run failed'
  python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['rate_achieved'])" "$scratch/result.json" ||
    cannot 'the result has no rate'
}

# By turns, so that whatever else the machine does meets both.
figures=()
for ((round = 0; round < rounds; round++)); do
  their=$(theirs) || cannot 'h2load failed'
  our=$(ours) || exit 2
  figures+=("$their" "$our")
done
for figure in "${figures[@]}"; do
  [[ $figure =~ ^[0-9.]+$ && $figure =~ [1-9] ]] || cannot "a round gave no figure: $figure"
done
python3 - "$share" "${figures[@]}" <<'PYTHON'
import statistics
import sys

share, *figures = map(float, sys.argv[1:])
theirs, ours = statistics.median(figures[0::2]), statistics.median(figures[1::2])
ratio = ours / theirs
print(f"h2load {theirs:,.0f} calls/s, entente load {ours:,.0f} calls/s: {ratio:.3f} of it")
sys.exit(0 if abs(ratio - 1) <= share else 1)
PYTHON
