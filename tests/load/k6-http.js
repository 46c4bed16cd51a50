// Reads in JSON through a gateway for k6: k6 run tests/load/k6-http.js   (-e BASE=http://127.0.0.1:50051 -e RATE=500)
//
// A mix of some reads of read-only.toml. k6 counts latency from when a call is sent, and leaves out iterations that it
// has no user for (dropped_iterations), so look at both.
import http from 'k6/http';
import { check } from 'k6';

const base = __ENV.BASE || 'http://127.0.0.1:50051';
const params = { headers: __ENV.TOKEN ? { Authorization: `Bearer ${__ENV.TOKEN}` } : {} };

export const options = {
  scenarios: {
    reads: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 500),
      timeUnit: '1s',
      duration: __ENV.DURATION || '30s',
      preAllocatedVUs: 50,
      maxVUs: 500,
    },
  },
  thresholds: { http_req_duration: ['p(99)<100'], checks: ['rate>0.999'], dropped_iterations: ['count<1'] },
};

// Each path as often as its weight says.
const mix = [
  [60, '/v1/datasets/china-customs/observations/CHN.KAZ.T.NA.TOTAL.2021'],
  [20, '/v1/datasets/china-customs/series?reporter=CHN&partner=KAZ&flow=FLOW_TOTAL_TRADE&code=TOTAL&frequency=FREQUENCY_YEAR'],
  [10, '/v1/meetings:find?country=CHN&partner=KAZ&day.year=2024&day.month=7&day.day=1'],
  [10, '/v1/briefing?country=CHN&partner=KAZ&period=2024-01..2024-05&day.year=2024&day.month=7&day.day=1'],
];
const all = mix.reduce((sum, [weight]) => sum + weight, 0);

function chosen() {
  let drawn = Math.random() * all;
  for (const [weight, path] of mix) {
    drawn -= weight;
    if (drawn < 0) return path;
  }
  return mix[0][1];
}

export default function () {
  const path = chosen();
  const answer = http.get(base + path, Object.assign({ tags: { name: path.split('?')[0] } }, params));
  check(answer, { 'answered well': (r) => r.status === 200 });
}
