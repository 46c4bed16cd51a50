// The ingests of ingest.toml for k6: streams of batches into a dataset of the run's own. Writes.
//
//   k6 run tests/load/k6-ingest.js   (-e ADDRESS=127.0.0.1:50051 -e RATE=5 -e DURATION=30s -e TOKEN=…)
//
// k6 has no latency of a stream of its own, so `ingest_duration` counts from its first message to the answer; and it makes
// and encodes every figure while it runs, which takes more of a machine than `entente load ingest` does.
import { Client, Stream } from 'k6/net/grpc';
import { check, fail } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import exec from 'k6/execution';

const address = __ENV.ADDRESS || '127.0.0.1:50051';
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const service = 'entente.trade.v1.TradeService';
const [batches, rows] = [4, 1000];

export const options = {
  scenarios: {
    ingests: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 5),
      timeUnit: '1s',
      duration: __ENV.DURATION || '30s',
      preAllocatedVUs: 10,
      maxVUs: 200,
    },
  },
  thresholds: { ingest_duration: ['p(99)<500'], ingest_errors: ['rate==0'], dropped_iterations: ['count<1'] },
};

const took = new Trend('ingest_duration', true);
const errors = new Rate('ingest_errors');
const figures = new Counter('ingest_figures');

const client = new Client();
client.load(['../../proto'], 'entente/trade/v1/trade_service.proto');

function connect() {
  client.connect(address, { plaintext: !__ENV.TLS });
}

export function setup() {
  connect();
  const id = `load-k6-${Date.now()}`;
  const dataset = {
    display_name: { texts: { en: 'Load test by k6' } },
    source: { title: 'A load test', publisher: 'k6' },
    currency_code: 'USD',
  };
  const made = client.invoke(`${service}/CreateDataset`, { dataset_id: id, dataset }, { metadata });
  if (!check(made, { 'the dataset is made': (r) => r && !r.error })) fail(JSON.stringify(made.error));
  client.close();
  return `datasets/${id}`;
}

const pad = (number, digits) => String(number).padStart(digits, '0');

// The figures of a month that only this batch of this ingest has.
function group(number) {
  const row = (at) => ({ number: at + 1, code: pad(10000 + at * 37, 6), value: String(1000 + number * 7 + at) });
  return {
    reporter: 'CHN',
    partner: 'KAZ',
    flow: number % 2 ? 'FLOW_IMPORT' : 'FLOW_EXPORT',
    classification: 'H5',
    period: `${pad(1000 + Math.floor(number / 24), 4)}-${pad((Math.floor(number / 2) % 12) + 1, 2)}`,
    rows: Array.from({ length: rows }, (_, at) => row(at)),
  };
}

let connected = false;

export default function (parent) {
  if (!connected) {
    connect();
    connected = true;
  }
  const number = exec.scenario.iterationInTest;
  const stream = new Stream(client, `${service}/IngestObservations`, { metadata });
  const began = Date.now();
  let answered = false;
  stream.on('data', () => {
    answered = true;
    took.add(Date.now() - began);
    figures.add(batches * rows);
  });
  stream.on('error', (error) => console.error(error.message));
  stream.on('end', () => errors.add(!answered));
  stream.write({ header: { parent, ingest_id: `load-k6-${number}` } });
  for (let batch = 0; batch < batches; batch++) {
    stream.write({ batch: { sequence: batch + 1, groups: [group(number * batches + batch)] } });
  }
  stream.end();
}
