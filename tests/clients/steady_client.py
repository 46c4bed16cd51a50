"""Calls that go on at a constant rate while something happens: `python tests/clients/steady_client.py ADDR [RATE]`.

It asks each service and the gateway, and writes a sector with every tenth call, RATE times a second (20) whatever the
answers, until SIGINT or SIGTERM. Then it waits for the calls that run, prints what became of all, and exits with 1 when
one failed. A call is retried by gRPC as any client may: on UNAVAILABLE alone, five attempts in all. What it does is safe
to repeat: a read changes nothing, and a write has a request id. With ENTENTE_RETRIES=no, nothing is retried.
"""

import importlib
import itertools
import json
import os
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter

from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

import stubs_client
from channel import connect

# Seconds that a call may take, its retries included.
PATIENCE = 120
RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.5s",
    "maxBackoff": "15s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
DAY = {"year": 2024, "month": 7, "day": 1}


def options():
    """Of a channel that retries, and that looks soon whether a server is there again."""
    retries = {"methodConfig": [{"name": [{}], "retryPolicy": RETRIES}]}
    if os.environ.get("ENTENTE_RETRIES") == "no":
        return [("grpc.enable_retries", 0)]
    return [
        ("grpc.service_config", json.dumps(retries)),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]


class Mix:
    """What is called, in turn."""

    def __init__(self, channel):
        def service(name):
            stubs = importlib.import_module(f"entente.{name}.v1.{name}_service_pb2_grpc")
            return getattr(stubs, f"{name.capitalize()}ServiceStub")(channel)

        trade, events, culture, gateway = map(service, ("trade", "events", "culture", "gateway"))
        pair = {"country": "CHN", "partner": "KAZ"}
        series = {
            "parent": "datasets/china-customs",
            "reporter": "CHN",
            "partner": "KAZ",
            "flow": "FLOW_TOTAL_TRADE",
            "code": "TOTAL",
            "frequency": "FREQUENCY_YEAR",
        }
        reads = [
            ("trade", trade.GetSeries, "trade.v1.GetSeriesRequest", series),
            ("events", events.FindMeetings, "events.v1.FindMeetingsRequest", {**pair, "day": DAY}),
            ("culture", culture.ListVisaRules, "culture.v1.ListVisaRulesRequest", pair),
        ]
        briefing = {**pair, "day": DAY, "required_sections": ["BRIEFING_SECTION_TRADE"]}
        asked = ("briefing", gateway.GetBriefing, "gateway.v1.GetBriefingRequest", briefing)
        self._turn = itertools.cycle([*reads * 3, asked, None])
        self._create = trade.CreateSector

    def next(self):
        """The next call: what it is called, its method and its request."""
        name, method, kind, fields = next(self._turn) or self._write()
        message = GetMessageClass(Default().FindMessageTypeByName(f"entente.{kind}"))
        return name, method, message(**fields)

    def _write(self):
        request_id = str(uuid.uuid4())
        fields = {
            "sector_id": f"steady-{request_id[:18]}",
            "sector": {
                "display_name": {"texts": {"en": f"Made up {request_id}"}},
                "classification": "H6",
                "codes": ["8703"],
            },
            "request_id": request_id,
        }
        return "write", self._create, "trade.v1.CreateSectorRequest", fields


class Tally:
    """What became of the calls."""

    def __init__(self):
        self._lock = threading.Lock()
        self.answered, self.failed, self.slowest = Counter(), Counter(), 0.0
        self.running = 0

    def call(self, name, method, request):
        begun = time.monotonic()
        with self._lock:
            self.running += 1
        future = method.future(request, timeout=PATIENCE, wait_for_ready=True)
        future.add_done_callback(lambda done: self._note(name, done, time.monotonic() - begun))

    def _note(self, name, done, took):
        with self._lock:
            self.running -= 1
            self.slowest = max(self.slowest, took)
            if error := done.exception():
                self.failed[name, error.code().name, error.details()] += 1
            else:
                self.answered[name] += 1

    def tell(self):
        answered = ", ".join(f"{name} {count}" for name, count in sorted(self.answered.items()))
        print(f"answered {self.answered.total()} ({answered}), the slowest in {self.slowest:.2f} s")
        for (name, code, details), count in sorted(self.failed.items()):
            print(f"failed   {count} of {name}: {code}, {details}")
        print(f"{self.failed.total()} failed", flush=True)


def main(address, rate):
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, connect(address, options()) as channel:
        stubs_client.generate(folder)
        sys.path.insert(0, folder)
        mix, due = Mix(channel), time.monotonic()
        print("calling", flush=True)
        while not stop.wait(max(0.0, due - time.monotonic())):
            tally.call(*mix.next())
            due += 1 / rate
        ends = time.monotonic() + PATIENCE
        while tally.running and time.monotonic() < ends:
            time.sleep(0.05)
    tally.tell()
    return 1 if tally.failed or not tally.answered else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: steady_client.py ADDR [RATE]")
    sys.exit(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) == 3 else 20.0))
