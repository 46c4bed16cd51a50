#!/usr/bin/env bash
# Holds `entente load` against h2load on one endpoint: the health of a server, over gRPC, with as many connections and
# calls under way. The two must agree on how many calls a second the server answers within 10 %.
#
#   bash tests/load/h2load.sh [ADDRESS] [SECONDS]
#
# It needs h2load (Debian's package nghttp2-client), jq or Python, and `entente` in the PATH or named by ENTENTE.
set -euo pipefail

address=${1:-127.0.0.1:50051}
seconds=${2:-10}
entente=${ENTENTE:-entente}
readonly connections=4 streams=16

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# An empty message as gRPC sends it: no compression, no bytes.
printf '\0\0\0\0\0' >"$scratch/message"

cat >"$scratch/health.toml" <<TOML
name = "health"
duration = "${seconds}s"
warm_up = "2s"
connections = $connections
# More than any server answers: as many calls as may be are under way at any time, as h2load has it.
max_in_flight = $((connections * streams))
arrival.rate = 300000

[[mix]]
call = "health"
TOML

theirs() {
  h2load -c "$connections" -m "$streams" -t 1 -D "$seconds" --warm-up-time=2s -d "$scratch/message" \
    -H 'content-type: application/grpc' -H 'te: trailers' "http://$address/grpc.health.v1.Health/Check" |
    sed -nE 's/^finished in .*, ([0-9.]+) req\/s.*/\1/p'
}

ours() {
  # Calls beyond those under way are errors of the generator, and here they are wanted.
  "$entente" load "$scratch/health.toml" --server "http://$address" --quiet --json "$scratch/result.json" >/dev/null || true
  python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['rate_achieved'])" "$scratch/result.json"
}

# By turns, so that whatever else the machine does meets both.
python3 - "$(theirs)" "$(ours)" "$(theirs)" "$(ours)" "$(theirs)" "$(ours)" <<'PYTHON'
import statistics
import sys

figures = [float(figure) for figure in sys.argv[1:]]
theirs, ours = statistics.median(figures[0::2]), statistics.median(figures[1::2])
ratio = ours / theirs
print(f"h2load {theirs:,.0f} calls/s, entente load {ours:,.0f} calls/s: {ratio:.3f} of it")
sys.exit(0 if ratio >= 0.9 else 1)
PYTHON
