// The mix of read-mostly.toml over gRPC for k6, through a gateway: what desks and analysts ask, with an event now and then,
// or without (-e READ_ONLY=1).
//
//   k6 run tests/load/k6-grpc-mix.js   (-e ADDRESS=127.0.0.1:50051 -e RATE=500 -e DURATION=30s -e TOKEN=…)
//
// Open loop, as `entente load read-mostly`. It asks about China and Kazakhstan alone, and so meets warm caches more often.
import { Client, StatusOK } from 'k6/net/grpc';
import { check } from 'k6';
import exec from 'k6/execution';

const address = __ENV.ADDRESS || '127.0.0.1:50051';
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const dataset = __ENV.DATASET || 'datasets/china-customs';

export const options = {
  scenarios: {
    mix: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 500),
      timeUnit: '1s',
      duration: __ENV.DURATION || '60s',
      preAllocatedVUs: 50,
      maxVUs: 500,
    },
  },
  thresholds: {
    grpc_req_duration: ['p(50)<10', 'p(99)<100'],
    'grpc_req_duration{call:GetBriefing}': ['p(99)<200'],
    checks: ['rate>0.999'],
    dropped_iterations: ['count<1'],
  },
};

const figure = `${dataset}/observations/CHN.KAZ.T.NA.TOTAL.2021`;
const pair = { country: 'CHN', partner: 'KAZ' };
const trade = 'entente.trade.v1.TradeService';
const events = 'entente.events.v1.EventsService';
const culture = 'entente.culture.v1.CultureService';
const gateway = 'entente.gateway.v1.GatewayService';
const day = { year: 2024, month: 7, day: 1 };
const series = { parent: dataset, reporter: 'CHN', partner: 'KAZ', code: 'TOTAL', frequency: 'FREQUENCY_YEAR' };
const run = Date.now();

// Each call as often as its weight says.
const mix = [
  [35, trade, 'GetObservation', () => ({ name: figure })],
  [15, trade, 'GetSeries', () => ({ ...series, flow: 'FLOW_TOTAL_TRADE' })],
  [5, trade, 'GetSeries', () => ({ ...series, measure: 'MEASURE_BALANCE' })],
  [5, trade, 'RankPartners', () => ({ parent: dataset, reporter: 'CHN', flow: 'FLOW_EXPORT', period: '2021' })],
  [5, trade, 'GetMirror', mirror],
  [7, events, 'ListEvents', () => ({ filter: pair })],
  [6, events, 'FindMeetings', () => ({ ...pair, day })],
  [4, gateway, 'GetBriefing', () => ({ ...pair, period: '2023', day })],
  [2, gateway, 'ListTimeline', () => ({ ...pair, descending: true })],
  [3, trade, 'ListVintages', () => ({ name: figure })],
  [2, trade, 'ListSides', () => pair],
  [4, culture, 'FindVisaRules', () => ({ ...pair, day })],
  [3, culture, 'ListProgrammes', () => ({ filter: pair })],
  [3, culture, 'ListMeasures', () => ({ filter: pair })],
  __ENV.READ_ONLY ? [1, trade, 'GetObservation', () => ({ name: figure })] : [1, events, 'CreateEvent', event],
];
const all = mix.reduce((sum, [weight]) => sum + weight, 0);

function mirror() {
  return {
    first: { dataset, reporter: 'CHN' },
    second: { dataset: __ENV.OTHER_DATASET || 'datasets/kazakhstan-statistics', reporter: 'KAZ' },
    period: '2021',
  };
}

function event() {
  const participant = (country) => ({ country, level: 'OFFICE_LEVEL_OFFICIAL', role: 'PARTICIPANT_ROLE_PARTY' });
  return {
    event_id: `load-k6-${run}-${exec.vu.idInTest}-${exec.vu.iterationInScenario}`,
    event: {
      kind: 'EVENT_KIND_CONSULTATION',
      status: 'EVENT_STATUS_CONCLUDED',
      participants: ['CHN', 'KAZ'].map(participant),
      start_date: day,
      title: { texts: { en: 'Load test by k6' } },
      sources: [{ title: 'A load test', publisher: 'k6' }],
    },
    allow_duplicate: true,
  };
}

function chosen() {
  let drawn = Math.random() * all;
  return mix.find(([weight]) => (drawn -= weight) < 0) || mix[0];
}

const client = new Client();
client.load(
  ['../../proto'],
  'entente/trade/v1/trade_service.proto',
  'entente/events/v1/events_service.proto',
  'entente/culture/v1/culture_service.proto',
  'entente/gateway/v1/gateway_service.proto',
);

let connected = false;

export default function () {
  if (!connected) {
    client.connect(address, { plaintext: !__ENV.TLS });
    connected = true;
  }
  const [, service, call, message] = chosen();
  const answer = client.invoke(`${service}/${call}`, message(), { metadata, tags: { call } });
  check(answer, { [`${call} answered well`]: (r) => r && r.status === StatusOK });
}
