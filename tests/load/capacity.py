"""What each endpoint can do at a 99th percentile of 10 ms: `python tests/load/capacity.py target/dist/entente [STEP]`.

A server of its own, all services and the gateway in one process on loopback, has the demonstration and 200,000 figures
that `entente generate` makes. Of each call `entente load --find-limit` finds the highest rate, trying each for STEP (3s);
then the call is made at half of that rate for five seconds, and the server's CPU time and memory are looked at. Server and
generator share the machine, as they do nowhere else: what a server can do alone is more. Prints tables in Markdown.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CALLS = [
    "health",
    "point-read",
    "list-figures",
    "series",
    "balance",
    "ranking",
    "goods",
    "mirror",
    "events",
    "meetings",
    "agreements",
    "timeline",
    "briefing",
    "record-event",
    "ingest",
]
# Methods that are no kind of their own, and what they are asked.
METHODS = {
    "entente.trade.v1.TradeService/ListVintages": "name = '{figure}'",
    "entente.trade.v1.TradeService/CompareObservations": "name = '{figure}'",
    "entente.trade.v1.TradeService/ListSides": "country = '{country}', partner = '{partner}'",
    "entente.trade.v1.TradeService/GetIndicators": "parent = 'datasets/generated', reporter = 'CHN', partner = 'KAZ', "
    "period = '2022'",
    "entente.trade.v1.TradeService/ListSectors": "",
    "entente.events.v1.EventsService/CountMeetings": "country = '{country}', partner = '{partner}'",
    "entente.culture.v1.CultureService/FindVisaRules": "country = '{country}', partner = '{partner}', "
    "day = { year = 2024, month = 7, day = 1 }",
    "entente.culture.v1.CultureService/ListVisaRules": "country = '{country}', partner = '{partner}'",
    "entente.culture.v1.CultureService/ListProgrammes": "filter = { country = '{country}', partner = '{partner}' }",
    "entente.culture.v1.CultureService/ListMeasures": "filter = { country = '{country}', partner = '{partner}' }",
}
ROWS = 200_000
# Seconds for which a server that nobody asks is looked at.
REST = 20
SCENARIO = """
name = "capacity"
duration = "5s"
warm_up = "1s"
connections = 4
deadline = "2s"
arrival.rate = {rate}
[[mix]]
{part}
[keys]
sample = 20000
pick = "zipf"
[ingest]
batches = 1
rows = 1000
[thresholds]
p99 = "10ms"
"""


class Server:
    """A process that serves, and what it tells of itself."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = None
        self.place = self.metrics = ""

    def start(self):
        """Starts it, and gives the seconds until it serves."""
        begun = time.monotonic()
        command = [self.binary, "serve", "--data", self.folder / "data", "--listen", "127.0.0.1:0"]
        self.log.truncate(0)
        self.process = subprocess.Popen([*command, "--metrics", "127.0.0.1:0"], stdout=self.log, stderr=self.log)
        while not self.metrics:
            if self.process.poll() is not None or time.monotonic() > begun + 60:
                sys.exit(f"the server did not start:\n{self._said()}")
            time.sleep(0.002)
            self.place = self._place(r"^Serving on (\S+)")
            took = time.monotonic() - begun
            self.metrics = self.place and self._place(r"[Mm]etrics.*?(\d+\.\d+\.\d+\.\d+:\d+)")
        return took

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.metrics = ""

    def ask(self, *words):
        env = {**os.environ, "ENTENTE_SERVER": f"http://{self.place}"}
        return subprocess.run([self.binary, *words], env=env, capture_output=True, text=True, check=False)

    def load(self, scenario, *words):
        """The result of a run."""
        result = self.folder / "result.json"
        result.unlink(missing_ok=True)
        done = self.ask("load", scenario, "--quiet", "--json", result, *words)
        if not result.exists():
            sys.exit(f"the run failed: {done.stderr}")
        return json.loads(result.read_text("utf-8"))

    def takes(self):
        """CPU seconds so far, and MiB now."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        figure = lambda name: float(re.search(rf"^{name} (\S+)", text, re.M)[1])
        return figure("process_cpu_seconds_total"), figure("process_resident_memory_bytes") / 2**20

    def _said(self):
        return Path(self.log.name).read_text("utf-8")

    def _place(self, pattern):
        found = re.search(pattern, self._said(), re.M)
        return found[1] if found else ""


def measured(server, work):
    """What a piece of work gives, and the server's CPU seconds and MiB with it."""
    before, _ = server.takes()
    given = work()
    after, memory = server.takes()
    return given, after - before, memory


def capacity(server, call, part, step):
    """A row of the table: the call at its limit, and at half of it."""
    scenario = server.folder / "scenario.toml"
    scenario.write_text(SCENARIO.format(part=part, rate=20 if call in ("ingest", "briefing") else 200), "utf-8")
    found = server.load(scenario, "--find-limit", "--step", step)
    rate = found["limit"]["rate"]
    if rate is None:
        return f"| {call} | none | | | | | |"
    half, cpu, memory = measured(server, lambda: server.load(scenario, "--rate", f"{rate / 2:.2f}"))
    # The warm-up of a second is in the CPU time as well.
    calls = half["rate_achieved"] * 6
    limit, low = found["latency"], half["latency"]
    return (
        f"| {call} | {rate:,.0f} | {limit['p50_ms']:.2f} | {limit['p99_ms']:.2f} "
        f"| {low['p50_ms']:.2f} | {low['p99_ms']:.2f} | {cpu / calls * 1e6:,.0f} | {memory:,.0f} |"
    )


def tables(server, step):
    """Prints what a server takes at rest, and what it can do of each call."""
    empty = server.start()
    rest = [("empty", *measured(server, lambda: time.sleep(REST)))]
    for words in (["import", "demo"], ["generate", "--rows", str(ROWS), "--format", "direct"]):
        if (done := server.ask(*words)).returncode:
            sys.exit(done.stderr)
    server.stop()
    full = server.start()
    rest.append((f"with {ROWS:,} figures", *measured(server, lambda: time.sleep(REST))))
    print("| at rest | starts in, ms | CPU, % of a core | memory, MiB |\n|---|---:|---:|---:|")
    for (name, _, cpu, memory), took in zip(rest, (empty, full)):
        print(f"| {name} | {took * 1e3:.0f} | {cpu / REST * 100:.2f} | {memory:.0f} |")
    print("\n| call | limit, calls/s | p50, ms | p99 | p50 at half | p99 at half | CPU, µs/call | memory, MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for call in CALLS:
        print(capacity(server, call, f'call = "{call}"', step), flush=True)
    for method, message in METHODS.items():
        part = f'method = "{method}"\nmessage = {{ {message} }}'
        print(capacity(server, method.partition("/")[2], part, step), flush=True)


def main(binary, step="3s"):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, Path(folder))
        try:
            tables(server, step)
        finally:
            server.stop()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: capacity.py BINARY [STEP]")
    main(*sys.argv[1:])
