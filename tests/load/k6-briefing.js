// The briefings of briefing.toml over gRPC for k6, through a gateway, by turns of some pairs.
//
//   k6 run tests/load/k6-briefing.js   (-e ADDRESS=127.0.0.1:50051 -e RATE=50 -e PAIRS=CHN-KAZ,CHN-MNG -e TOKEN=…)
import { Client, StatusOK } from 'k6/net/grpc';
import { check } from 'k6';
import exec from 'k6/execution';

const address = __ENV.ADDRESS || '127.0.0.1:50051';
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const pairs = (__ENV.PAIRS || 'CHN-KAZ,CHN-UZB,CHN-KGZ,CHN-MNG').split(',').map((pair) => pair.split('-'));

export const options = {
  scenarios: {
    briefings: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 50),
      timeUnit: '1s',
      duration: __ENV.DURATION || '30s',
      preAllocatedVUs: 20,
      maxVUs: 300,
    },
  },
  thresholds: { grpc_req_duration: ['p(99)<250'], checks: ['rate>0.999'], dropped_iterations: ['count<1'] },
};

const client = new Client();
client.load(['../../proto'], 'entente/gateway/v1/gateway_service.proto');

let connected = false;

export default function () {
  if (!connected) {
    client.connect(address, { plaintext: !__ENV.TLS });
    connected = true;
  }
  const [country, partner] = pairs[exec.scenario.iterationInTest % pairs.length];
  const answer = client.invoke(
    'entente.gateway.v1.GatewayService/GetBriefing',
    { country, partner, period: '2023', day: { year: 2024, month: 7, day: 1 } },
    { metadata },
  );
  check(answer, { 'answered well': (r) => r && r.status === StatusOK });
}
