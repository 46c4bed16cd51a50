"""DuckDB's side of `bench compare`: takes the rows, answers, and times itself as its client.

One JSON object a line comes on standard input, one goes out for each:

    {"load": "figures.csv", "into": "figures.duckdb"}  -> rows, seconds of each step, bytes, about
    {"answers": "series", "keys": [...]}               -> answers: rows of texts for each key
    {"measure": "series", "keys": [...], "warm_up": 200, "seconds": 20}  -> nanos of each call
"""

import json
import os
import sys
import time

import duckdb

COLUMNS = {
    "dataset": "SMALLINT",
    "reporter": "SMALLINT",
    "partner": "SMALLINT",
    "flow": "SMALLINT",
    "period": "INTEGER",
    "level": "SMALLINT",
    "code": "VARCHAR",
    "value": "BIGINT",
    "net_weight": "BIGINT",
    "quantity": "BIGINT",
    "quantity_unit": "SMALLINT",
    "flags": "SMALLINT",
}

# DuckDB searches an index of one column only, so that the point has its whole key in one number.
KEY = """
CREATE MACRO figure_of(reporter, partner, flow, code, period) AS
    (((reporter::BIGINT * 1024 + partner) * 16 + flow) * 2097152
        + CASE code WHEN 'TOTAL' THEN 0 ELSE ('1' || rpad(code, 6, '0'))::BIGINT
            - CASE length(code) WHEN 2 THEN 1000000 ELSE 0 END END) * 4096
        + (period // 100 - 2000) * 12 + period % 100
"""

# Sorted so that the totals lie together, then the chapters, then each pair's goods: the least and the
# greatest value of each block of rows, which DuckDB keeps, rule out most blocks for every question.
STEPS = {
    "INSERT, sorted": """
        INSERT INTO figures
        SELECT figure_of(reporter, partner, flow, code, period), *, now() FROM read_csv(
            {file}, header = false, columns = {columns})
        ORDER BY dataset, level, reporter, partner, flow, period, code""",
    "index of figures": "CREATE UNIQUE INDEX figures_key ON figures (figure)",
    "CHECKPOINT": "CHECKPOINT",
}

TOP = 10

STATEMENTS = {
    "point": """
        SELECT value, net_weight, quantity, quantity_unit, flags, recorded FROM figures
        WHERE figure = figure_of($reporter, $partner, $flow, $code, $period)""",
    "series": """
        SELECT period, value FROM figures
        WHERE dataset = 1 AND level = 0 AND reporter = $reporter AND partner = $partner
            AND flow = $flow
        ORDER BY period""",
    "partners": f"""
        WITH sums AS (
            SELECT partner,
                coalesce(sum(value) FILTER (WHERE period >= $period), 0)::BIGINT AS value,
                coalesce(sum(value) FILTER (WHERE period < $period), 0)::BIGINT AS before
            FROM figures
            WHERE dataset = 1 AND level = 0 AND reporter = $reporter AND flow = $flow
                AND period BETWEEN $before AND $last
            GROUP BY partner)
        SELECT partner, value, before, (SELECT value FROM sums WHERE partner = 0) AS world
        FROM sums WHERE partner <> 0 ORDER BY value DESC, partner LIMIT {TOP}""",
    "commodities": f"""
        SELECT code,
            coalesce(sum(value) FILTER (WHERE period >= $period), 0)::BIGINT AS value,
            coalesce(sum(value) FILTER (WHERE period < $period), 0)::BIGINT AS before,
            (SELECT sum(value)::BIGINT FROM figures
             WHERE dataset = 1 AND level = 0 AND reporter = $reporter AND partner = $partner
                AND flow = $flow AND period BETWEEN $period AND $last) AS total
        FROM figures
        WHERE dataset = 1 AND level = 6 AND reporter = $reporter AND partner = $partner
            AND flow = $flow AND period BETWEEN $before AND $last
        GROUP BY code ORDER BY value DESC, code LIMIT {TOP}""",
    "mirror": """
        SELECT CASE WHEN reporter = $reporter THEN 3 - flow ELSE flow END AS direction, code,
            sum(value) FILTER (WHERE flow = 2)::BIGINT,
            sum(value) FILTER (WHERE flow = 1)::BIGINT
        FROM figures
        WHERE dataset = 1 AND level IN (0, 2) AND period BETWEEN $period AND $last
            AND ((reporter = $reporter AND partner = $partner)
                OR (reporter = $partner AND partner = $reporter))
        GROUP BY direction, code ORDER BY direction, code""",
}

PARAMETERS = {
    "point": ["reporter", "partner", "flow", "code", "period"],
    "series": ["reporter", "partner", "flow"],
    "partners": ["reporter", "flow", "before", "period", "last"],
    "commodities": ["reporter", "partner", "flow", "before", "period", "last"],
    "mirror": ["reporter", "partner", "period", "last"],
}

# What of a row is compared.
COMPARED = {"point": 4, "series": 2, "partners": 4, "commodities": 4, "mirror": 4}


class Side:
    """A database and its parsed statements."""

    def __init__(self):
        self.path = None
        self.db = None
        self.statements = {}

    def load(self, request):
        self.path = request["into"]
        self.db = duckdb.connect(self.path)
        self.db.execute("SET enable_progress_bar = false")
        columns = ", ".join(f"{name} {kind} " for name, kind in COLUMNS.items())
        self.db.execute(KEY)
        self.db.execute(f"CREATE TABLE figures (figure BIGINT, {columns}, recorded TIMESTAMPTZ)")
        seconds = {}
        for name, sql in STEPS.items():
            started = time.perf_counter()
            self.db.execute(sql.format(file=repr(request["load"]), columns=COLUMNS))
            seconds[name] = time.perf_counter() - started
        for name, sql in STATEMENTS.items():
            (self.statements[name],) = self.db.extract_statements(sql)
        return {
            "rows": self.scalar("SELECT count(*) FROM figures"),
            "seconds": seconds,
            "bytes": os.path.getsize(self.path),
            "about": self.about(),
        }

    def about(self):
        threads = self.scalar("SELECT current_setting('threads')")
        memory = self.scalar("SELECT current_setting('memory_limit')")
        python = ".".join(str(part) for part in sys.version_info[:3])
        return (
            f"DuckDB {duckdb.__version__} in Python {python}, in process, a database file; "
            f"the defaults: threads={threads}, memory_limit={memory}"
        )

    def scalar(self, sql):
        return self.db.execute(sql).fetchone()[0]

    def answers(self, request):
        name = request["answers"]
        answers = [self.ask(name, key)[0] for key in self.parameters(name, request["keys"])]
        texts = [[as_texts(row[: COMPARED[name]]) for row in rows] for rows in answers]
        return {"answers": texts}

    def measure(self, request):
        name = request["measure"]
        keys = self.parameters(name, request["keys"])
        for key in keys[: request["warm_up"]]:
            self.ask(name, key)
        nanos = []
        until = time.monotonic() + request["seconds"]
        for key in keys[request["warm_up"] :]:
            if time.monotonic() >= until:
                break
            nanos.append(self.ask(name, key)[1])
        return {"nanos": nanos}

    def parameters(self, name, keys):
        return [{part: key[part] for part in PARAMETERS[name]} for key in keys]

    def ask(self, name, key):
        """The rows, and the nanoseconds until they were here."""
        statement = self.statements[name]
        started = time.perf_counter_ns()
        rows = self.db.execute(statement, key).fetchall()
        return rows, time.perf_counter_ns() - started


def as_texts(row):
    return ["" if part is None else str(part) for part in row]


def main():
    # Whatever else is printed in this process, such as a progress bar, is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = Side()
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            answer = side.load(request)
        elif "answers" in request:
            answer = side.answers(request)
        else:
            answer = side.measure(request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
