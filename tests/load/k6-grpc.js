// Reads over gRPC for k6: k6 run tests/load/k6-grpc.js   (-e ADDRESS=127.0.0.1:50051 -e RATE=500 -e TOKEN=…)
//
// Open loop, as `entente load point-read`: iterations begin at a constant rate. k6 counts latency from when a call is
// sent, and leaves out iterations that it has no user for (dropped_iterations), so look at both.
import { Client, StatusOK } from 'k6/net/grpc';
import { check } from 'k6';

const address = __ENV.ADDRESS || '127.0.0.1:50051';
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};

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
  thresholds: { grpc_req_duration: ['p(99)<10'], checks: ['rate>0.999'], dropped_iterations: ['count<1'] },
};

const client = new Client();
client.load(['../../proto'], 'entente/trade/v1/trade_service.proto');

let connected = false;

export default function () {
  if (!connected) {
    client.connect(address, { plaintext: !__ENV.TLS });
    connected = true;
  }
  const answer = client.invoke(
    'entente.trade.v1.TradeService/GetObservation',
    { name: __ENV.NAME || 'datasets/china-customs/observations/CHN.KAZ.T.NA.TOTAL.2021' },
    { metadata },
  );
  check(answer, { 'answered well': (r) => r && r.status === StatusOK });
}
