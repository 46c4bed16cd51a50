// A browser's client over gRPC-Web: `node web_client.mjs http://ADDR`, beside classes generated into `gen`.
//
// The library and the generated code are someone else's; what it checks is that calls, streams, deadlines and the
// details of errors come through HTTP/1.1.

import assert from "node:assert/strict";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { CultureService } from "./gen/entente/culture/v1/culture_service_pb.js";
import { EventsService } from "./gen/entente/events/v1/events_service_pb.js";
import { Flow, Frequency } from "./gen/entente/trade/v1/observation_pb.js";
import { TradeService } from "./gen/entente/trade/v1/trade_service_pb.js";

const baseUrl = process.argv[2];
const transport = createGrpcWebTransport({ baseUrl, defaultTimeoutMs: 30_000 });
const trade = createClient(TradeService, transport);
const events = createClient(EventsService, transport);
const culture = createClient(CultureService, transport);

const SERIES = {
  parent: "datasets/china-customs",
  reporter: "CHN",
  partner: "KAZ",
  flow: Flow.TOTAL_TRADE,
  code: "TOTAL",
  frequency: Frequency.YEAR,
};

/** The error that a call ends with. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call did not fail");
}

/** The fields of a message that are texts or messages, by number: enough for details whose classes are not here. */
function read(bytes) {
  const fields = {};
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, kind] = reader.tag();
    if (kind === 2) (fields[number] ??= []).push(reader.bytes());
    else reader.skip(kind, number);
  }
  return fields;
}

const text = (bytes) => new TextDecoder().decode(bytes);

const detail = (error, name) => {
  const found = error.details.find((one) => one.type === `google.rpc.${name}`);
  assert.ok(found, `${name} is not among ${error.details.map((one) => one.type)}`);
  return read(found.value);
};

const stories = {
  "a call is answered": async () => {
    const series = await trade.getSeries(SERIES);
    assert.equal(series.currencyCode, "USD");
    const values = Object.fromEntries(series.points.map((point) => [point.period, point.value]));
    assert.equal(values["2021"], "25250000000");
  },

  "each service is there": async () => {
    assert.ok((await events.listEvents({ pageSize: 5 })).events.length > 0);
    assert.ok((await culture.listVisaRules({ pageSize: 5 })).visaRules.length > 0);
  },

  "a stream comes in order and can be left": async () => {
    const leave = new AbortController();
    const positions = [];
    try {
      for await (const change of trade.watchChanges({}, { signal: leave.signal })) {
        positions.push(change.position);
        if (positions.length === 3) leave.abort();
      }
    } catch (error) {
      assert.equal(ConnectError.from(error).code, Code.Canceled);
    }
    assert.deepEqual(positions, [...positions].sort((a, b) => Number(a - b)));
    assert.equal(new Set(positions).size, 3);
  },

  "a stream that ends says so": async () => {
    let rows = 0;
    for await (const part of trade.exportObservations({ parent: SERIES.parent })) {
      for (const group of part.groups) rows += group.rows.length;
    }
    assert.ok(rows > 0);
  },

  "an error has its reason and its fields": async () => {
    const error = await failure(() => trade.getSeries({ ...SERIES, reporter: "China", code: "87-03" }));
    assert.equal(error.code, Code.InvalidArgument);
    const info = detail(error, "ErrorInfo");
    assert.deepEqual([text(info[1][0]), text(info[2][0])], ["INVALID_FIELD", "entente"]);
    const fields = detail(error, "BadRequest")[1].map((one) => text(read(one)[1][0]));
    assert.deepEqual(fields.sort(), ["code", "reporter"]);
    assert.ok(error.metadata.get("x-request-id"));
  },

  "a stream that is refused says why": async () => {
    const error = await failure(async () => {
      for await (const change of trade.watchChanges({ afterPosition: 2n ** 62n })) assert.fail(change);
    });
    assert.equal(error.code, Code.OutOfRange);
    assert.equal(text(detail(error, "ErrorInfo")[1][0]), "POSITION_AHEAD");
  },

  "a deadline ends a stream that has no end": async () => {
    const error = await failure(async () => {
      const missing = { dataset: "datasets/no-such-dataset" };
      for await (const _ of trade.watchChanges(missing, { timeoutMs: 500 }));
    });
    assert.ok([Code.DeadlineExceeded, Code.NotFound].includes(error.code), String(error));
  },
};

let failed = 0;
for (const [name, story] of Object.entries(stories)) {
  try {
    await story();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
