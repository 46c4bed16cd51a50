#!/usr/bin/env bash
# What somebody with curl sees: `bash tests/clients/http_check.sh ADDR`, against a running demo that lets pages of
# https://desk.example read. What it records it deletes, so it may be run again.
set -euo pipefail

readonly base=http://$1
readonly origin=https://desk.example
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# Asks for path $1 with the rest of the arguments; sets `code`, and leaves head and body in files.
ask() {
  local path=$1
  shift
  code=$(curl --silent --show-error --max-time 20 --globoff --output "$folder/body" --dump-header "$folder/head" \
    --write-out '%{http_code}' "$@" "$base$path") || code=000
}

# The story $1 holds when the code is $2, and head and body together have each of the other texts.
expect() {
  local story=$1 wanted=$2 text missing=
  shift 2
  [[ $code == "$wanted" ]] || missing="code $wanted, not $code"
  cat "$folder/head" "$folder/body" >"$folder/all"
  for text in "$@"; do
    grep -qF -- "$text" "$folder/all" || missing+=" [$text]"
  done
  if [[ -z $missing ]]; then
    printf 'ok   %s\n' "$story"
  else
    printf 'FAIL %s: lacks %s\n' "$story" "$missing"
    sed 's/^/| /' "$folder/head"
    head -c 2000 "$folder/body" | sed 's/^/| /'
    failed=1
  fi
}

header() {
  sed -nE "s/^$1: *([^\r]*)\r?$/\1/Ip" "$folder/head"
}

json=(--header 'content-type: application/json')
series='/v1/datasets/china-customs/series?reporter=CHN&partner=KAZ&flow=FLOW_TOTAL_TRADE&code=TOTAL&frequency=FREQUENCY_YEAR'

ask /
expect 'the first page names what is there' 200 '"openapi": "/openapi.json"'
ask /healthz
expect 'the process is well' 200 '"SERVING"'

ask "$series"
expect 'a question is answered' 200 'content-type: application/json' '"value":"25250000000"' 'x-request-id: '
ask "$series&window.start=2022&window.end=2023"
expect 'a parameter of a part narrows it' 200 '"period":"2022"'
! grep -q '"2021","value"' "$folder/body" || { echo 'FAIL a year outside the window is there'; failed=1; }
ask "$series" --http2-prior-knowledge
expect 'it is answered over HTTP/2 as well' 200 '"value":"25250000000"'

ask "$series"
etag=$(header etag)
ask "$series" --header "if-none-match: $etag"
expect 'what is known is not sent again' 304 "etag: $etag"
ask /openapi.json --compressed
expect 'what is long is compressed for who takes it' 200 'content-encoding: gzip' '"openapi":"3.1.0"'
ask "$series" --head
expect 'a HEAD has the head of the answer' 200 "etag: $etag" 'content-length: '

ask /v1/datasets/china-customs/observations:export
expect 'an export is a message a line' 200 'content-type: application/x-ndjson' '"groups":'
ask /v1/datasets/china-customs/observations:export --header 'accept-encoding: gzip'
gunzip <"$folder/body" >"$folder/plain" && mv "$folder/plain" "$folder/body"
expect 'an export can be compressed' 200 'content-encoding: gzip' '"groups":'
ask /v1/events:exportCalendar
expect 'a calendar is a file of its own kind' 200 'content-type: text/calendar' 'BEGIN:VCALENDAR' 'END:VCALENDAR'

# It has no end: it is read up to the event that is asked for.
curl --silent --no-buffer --max-time 60 --dump-header "$folder/head" --header 'accept: text/event-stream' \
  --header 'last-event-id: 1' "$base/v1/changes:watch" | sed '/^data: {"position":"2"/q' >"$folder/body" || true
code=$(head -1 "$folder/head" | cut -d' ' -f2)
expect 'a feed goes on after the event that was last' 200 'content-type: text/event-stream' 'id: 2' 'data: {"position":"2"'
! grep -q '^id: 1$' "$folder/body" || { echo 'FAIL the feed begins too early'; failed=1; }

sector=check-$$-$RANDOM
body='{"displayName":{"texts":{"en":"Made up, for a check"}},"classification":"H6","codes":["8703"]}'
ask "/v1/sectors?sectorId=$sector" "${json[@]}" --data "$body"
expect 'a record is created' 200 "\"name\":\"sectors/$sector\""
ask "/v1/sectors?sectorId=$sector" "${json[@]}" --data "$body"
expect 'it is created once' 409 '"code":6' '"reason":"ALREADY_EXISTS"'
ask "/v1/sectors/$sector?updateMask=codes" "${json[@]}" --request PATCH --data '{"codes":["8703","8704"]}'
expect 'it is changed' 200 '"codes":["8703","8704"]' 'Made up, for a check'
ask "/v1/sectors/$sector" --request DELETE
expect 'it is deleted' 200 '{}'
ask "/v1/sectors/$sector"
expect 'it is gone' 404 '"reason":"NOT_FOUND"'

ask "/v1/datasets/china-customs/series?reporter=China&frequency=FREQUENCY_YEAR&flow=FLOW_EXPORT&code=TOTAL&partner=KAZ"
expect 'what is wrong is named' 400 '"@type":"type.googleapis.com/google.rpc.BadRequest"' '"field":"reporter"'
ask "$series&nation=CHN"
expect 'a parameter that is none is named' 400 '"field":"nation"'
ask /v1/sectors "${json[@]}" --data '{"codez":1}'
expect 'a field that is none is named' 400 "codez"
ask /v1/sectors --data '{}'
expect 'a body that is no JSON is refused' 415 'content-type'
ask /v1/datasets --request PUT
expect 'another method is refused with those there are' 405 'allow: GET, HEAD, POST'
ask /v1/nations
expect 'nothing is there' 404 '/openapi.json'
head -c 3000000 /dev/zero | tr '\0' ' ' >"$folder/long"
ask /v1/sectors "${json[@]}" --data-binary "@$folder/long"
expect 'a body that is too long is refused' 413 '"reason":"TOO_LARGE"'
ask "$series" --header 'grpc-timeout: 1n'
expect 'a deadline is kept' 504 '"reason":"DEADLINE_EXCEEDED"'

ask /v1/datasets --header "origin: $origin"
expect 'a page of a listed origin may read' 200 "access-control-allow-origin: $origin" 'access-control-expose-headers: '
ask /v1/datasets --request OPTIONS --header "origin: $origin" --header 'access-control-request-method: POST'
expect 'a browser that asks before is told' 204 'access-control-allow-methods: ' 'access-control-allow-headers: '
ask /v1/datasets --header 'origin: https://elsewhere.example'
! grep -qi '^access-control-allow' "$folder/head" || { echo 'FAIL a page of any origin may read'; failed=1; }

exit "$failed"
