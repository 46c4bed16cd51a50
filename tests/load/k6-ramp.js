// The stages of ramp.toml over gRPC for k6: eight figures by their names to two series.
//
//   k6 run tests/load/k6-ramp.js   (-e ADDRESS=127.0.0.1:50051 -e RATE=1500 -e TOKEN=…)
//
// RATE is the rate in the middle; it begins and ends at a fifteenth of it.
import { Client, StatusOK } from 'k6/net/grpc';
import { check } from 'k6';
import exec from 'k6/execution';

const address = __ENV.ADDRESS || '127.0.0.1:50051';
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const dataset = __ENV.DATASET || 'datasets/china-customs';
const rate = Number(__ENV.RATE || 1500);
const low = Math.max(1, Math.round(rate / 15));

export const options = {
  scenarios: {
    reads: {
      executor: 'ramping-arrival-rate',
      startRate: low,
      timeUnit: '1s',
      stages: [
        { target: low, duration: '5s' },
        { target: rate, duration: '20s' },
        { target: rate, duration: '10s' },
        { target: low, duration: '10s' },
      ],
      preAllocatedVUs: 100,
      maxVUs: 1000,
    },
  },
  thresholds: { grpc_req_duration: ['p(99)<50'], checks: ['rate>0.999'], dropped_iterations: ['count<1'] },
};

const client = new Client();
client.load(['../../proto'], 'entente/trade/v1/trade_service.proto');

const series = { parent: dataset, reporter: 'CHN', partner: 'KAZ', code: 'TOTAL', frequency: 'FREQUENCY_YEAR' };
const calls = {
  GetObservation: { name: __ENV.NAME || `${dataset}/observations/CHN.KAZ.T.NA.TOTAL.2021` },
  GetSeries: { ...series, flow: 'FLOW_TOTAL_TRADE' },
};

let connected = false;

export default function () {
  if (!connected) {
    client.connect(address, { plaintext: !__ENV.TLS });
    connected = true;
  }
  const call = exec.scenario.iterationInTest % 10 < 8 ? 'GetObservation' : 'GetSeries';
  const answer = client.invoke(`entente.trade.v1.TradeService/${call}`, calls[call], { metadata, tags: { call } });
  check(answer, { [`${call} answered well`]: (r) => r && r.status === StatusOK });
}
