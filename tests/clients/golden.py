"""The service's arithmetic against SQL: `python tests/clients/golden.py ADDR [SEED]`.

Made-up figures go into the service over gRPC, in three ingests of which the later ones revise the earlier,
and as raw rows into DuckDB. Then the same questions are put to both, each also as of the time between the
ingests. The SQL is written from the schema's words, one query a question, over a table with a row a figure:
it shares nothing with the service. Sums must be equal to the last decimal, ratios to the sixth.

Every run makes datasets of its own, so it may be run again on the same data.
"""

import random
import sys
import traceback
from collections import Counter
from decimal import Decimal

import duckdb

from stubs_client import connected

SEED = 20240702
# Rows that one batch carries.
BATCH = 5_000
# How far a ratio of six decimals may be from the unrounded one.
HALF = 0.5e-6 + 1e-9

FLOWS = {"X": "FLOW_EXPORT", "M": "FLOW_IMPORT"}
FREQUENCIES = {"year": "FREQUENCY_YEAR", "month": "FREQUENCY_MONTH"}
PROVISIONAL, IMPLIED, LOWER_BOUND, ROUNDED = 1, 5, 6, 8
PARTNERS = ["KAZ", "CHN", "KGZ", "RUS", "UZB", "DEU", "USA", "ARE", "AUT", "CT490", "CT899"]
# They hold other partners, and are never ranked.
GROUPS = ["WLD", "CT097"]
CODES = [
    "TOTAL", "27", "72", "84", "87", "99", "2709", "2711", "7202", "8408", "8703", "8704", "9999",
    "270900", "271121", "720241", "840820", "870323", "870380", "870410", "999999",
]  # fmt: skip
MONTHS = [f"{2022 + at // 12}-{at % 12 + 1:02}" for at in range(30)]
YEARS = ["2022", "2023"]
# By dataset.
REPORTERS = {"a": ["CHN", "KAZ", "KGZ"], "b": ["KAZ", "CHN"]}


def level(code):
    return 0 if code == "TOTAL" else len(code)


class Figures:
    """Figures that a seed makes up: with gaps, later versions, two revisions of the Harmonized System, flags."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ingests = [self.first()]
        for _ in range(2):
            self.ingests.append(self.later())

    def first(self):
        rows = {}
        for dataset, reporters in REPORTERS.items():
            for reporter in [*reporters, "WLD"]:
                for partner in [*PARTNERS, *GROUPS]:
                    for flow in FLOWS:
                        rows.update(self.line(dataset, reporter, partner, flow))
        return rows

    def line(self, dataset, reporter, partner, flow):
        if partner != "WLD" and self.random.random() < 0.1:
            return {}
        rows = {}
        # The world as a reporter publishes years only.
        periods = YEARS if reporter == "WLD" else [*YEARS, *MONTHS]
        for period in periods:
            # One flow of one reporter is late for a month, its goods for another.
            if (reporter, flow, period) == ("KGZ", "M", "2023-04"):
                continue
            for code in CODES:
                if (reporter, flow, period) == ("KGZ", "X", "2023-07") and level(code) == 6:
                    continue
                if self.random.random() < (0.1 if level(code) < 4 else 0.3):
                    continue
                for classification in self.classifications(dataset, period, code):
                    key = (dataset, reporter, partner, flow, classification, code, period)
                    rows[key] = self.figure(partner)
        return rows

    def classifications(self, dataset, period, code):
        """What a period was published under: the fifth revision of the Harmonized System until the end of
        2022 and then the sixth, both for a quarter; in the other dataset, the sixth for a quarter only."""
        found = ["H5"] if period < "2023" else ["H6"]
        if "2023-01" <= period < "2023-04":
            found = ["H5", "H6"]
        if dataset == "b":
            found = ["H5", "H6"] if period < "2022-04" else ["H5"]
        if code == "TOTAL" and self.random.random() < 0.1:
            found.append("S3")
        return found

    def figure(self, partner):
        dice = self.random.random()
        if dice < 0.02:
            value = Decimal(0)
        elif dice < 0.1:
            value = Decimal(self.random.choice([1000, 2000, 5000]))
        else:
            value = Decimal(self.random.randrange(1, 10**9)) / self.random.choice([1, 10, 1000, 10**6])
        if partner in GROUPS:
            value *= 8
        flags = [flag for flag in (PROVISIONAL, ROUNDED) if self.random.random() < 0.1]
        flags += [flag for flag in (IMPLIED, LOWER_BOUND) if self.random.random() < 0.004]
        return value, tuple(flags)

    def later(self):
        """A revision of some figures, and some that were not there."""
        known = {key for rows in self.ingests for key in rows}
        revised = [key for key in sorted(known) if self.random.random() < 0.05]
        rows = {key: self.figure(key[2]) for key in revised}
        for key in self.random.sample(sorted(known), 500):
            added = (*key[:5], self.random.choice(CODES), key[6])
            rows[added] = self.figure(key[2])
        return rows


class Service:
    """The service, asked with plain words."""

    def __init__(self, client):
        self.client = client
        self.instants = []

    def parent(self, dataset):
        return f"{self.client.dataset}-{dataset}"

    def record(self, figures):
        for dataset in REPORTERS:
            self.client.create(dataset_id=f"{self.client.dataset_id}-{dataset}", request_id="")
        for number, rows in enumerate(figures.ingests, 1):
            for dataset in REPORTERS:
                own = [row for row in rows.items() if row[0][0] == dataset]
                last = self.ingest(dataset, number, own)
            self.instants.append(last)

    def ingest(self, dataset, number, rows):
        parts = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        batches = [batch(place, rows) for place, rows in enumerate(parts, 1)]
        header = {"parent": self.parent(dataset), "ingest_id": f"golden-{number}", "strict": True}
        answer = self.client.ingest(*batches, timeout=120, **header)
        counts = answer.counts
        assert counts.new + counts.revised + counts.unchanged == len(rows), counts
        return answer.ingest.update_time

    def ask(self, method, view, **fields):
        """A question as of an ingest; of the last one, as of now."""
        if view < len(self.instants):
            fields["as_of"] = self.instants[view - 1]
        return self.client.call(method, **fields)


def batch(sequence, rows):
    groups = {}
    for (_, reporter, partner, flow, classification, code, period), (value, flags) in rows:
        group = groups.setdefault((reporter, partner, flow, classification, period), [])
        group.append({"code": code, "value": f"{value:f}", "flags": flags})
    names = ("reporter", "partner", "flow", "classification", "period")
    return {
        "sequence": sequence,
        "groups": [
            {**dict(zip(names, key)), "flow": FLOWS[key[2]], "rows": rows}
            for key, rows in groups.items()
        ],
    }


class Sql:
    """The raw rows in DuckDB: a table `f1`, `f2`, `f3` for what was known after each ingest."""

    def __init__(self, figures):
        self.db = duckdb.connect()
        self.db.execute(
            """CREATE TABLE raw (
                n INTEGER, dataset VARCHAR, reporter VARCHAR, partner VARCHAR, flow VARCHAR, cls VARCHAR,
                code VARCHAR, period VARCHAR, value DECIMAL(24, 6), flags INTEGER)"""
        )
        rows = [
            (number, *key, value, sum(1 << flag for flag in flags))
            for number, ingest in enumerate(figures.ingests, 1)
            for key, (value, flags) in ingest.items()
        ]
        self.load(rows)
        for view in (1, 2, 3):
            self.db.execute(
                f"""CREATE TABLE f{view} AS
                SELECT *, CASE WHEN length(period) = 4 THEN 'year' ELSE 'month' END AS freq,
                    CAST(left(period, 4) AS INTEGER) AS y, substr(period, 6) AS mm,
                    CASE code WHEN 'TOTAL' THEN 0 ELSE length(code) END AS lvl,
                    -- The newest revision of the Harmonized System, else the last of the others.
                    CASE WHEN cls LIKE 'H%' THEN '2' ELSE '1' END || cls AS standing
                FROM raw WHERE n <= {view}
                QUALIFY row_number() OVER (
                    PARTITION BY dataset, reporter, partner, flow, cls, code, period ORDER BY n DESC) = 1"""
            )

    def load(self, rows):
        columns = list(zip(*rows))
        names = ["n", "dataset", "reporter", "partner", "flow", "cls", "code", "period", "value", "flags"]
        texts = {
            name: [str(cell) if name == "value" else cell for cell in column]
            for name, column in zip(names, columns)
        }
        unnested = ", ".join(f"unnest(${name}) AS {name}" for name in names)
        self.db.execute(f"INSERT INTO raw SELECT * FROM (SELECT {unnested})", texts)

    def ask(self, query, **parameters):
        used = {name: value for name, value in parameters.items() if f"${name}" in query}
        cursor = self.db.execute(query, used)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


# What keeps two values from being like for like, in the order in which it is told; `now` and `base` have
# value, cls and flags.
def gap(now, base):
    like = f"({now}.cls = {base}.cls OR ($code = 'TOTAL' AND left({now}.cls, 1) = left({base}.cls, 1)))"
    flags = f"({now}.flags | {base}.flags)"
    return f"""
        WHEN NOT {like} THEN 'CLASSIFICATION_DIFFERS'
        WHEN {flags} & {1 << LOWER_BOUND} <> 0 THEN 'LOWER_BOUND'
        WHEN {flags} & {1 << IMPLIED} <> 0 THEN 'IMPLIED'
        WHEN {base}.value < 0 THEN 'BASE_IS_NEGATIVE'
        WHEN {base}.value = 0 THEN 'BASE_IS_ZERO'"""


GROWTH = "CAST(now.value AS DOUBLE) / CAST(base.value AS DOUBLE) - 1 AS growth"

SERIES = f"""
WITH mine AS (
    SELECT * FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND partner = $partner
        AND flow = $flow AND code = $code AND freq = $freq),
now AS (SELECT * FROM mine QUALIFY row_number() OVER (PARTITION BY period ORDER BY standing DESC) = 1),
base AS (
    SELECT now.period AS of_period, mine.* FROM now JOIN mine ON mine.y = now.y - 1 AND mine.mm = now.mm
    QUALIFY row_number() OVER (
        PARTITION BY now.period ORDER BY mine.cls = now.cls DESC, mine.standing DESC) = 1)
SELECT now.period, now.value, now.cls, now.flags, 1 AS figures, {GROWTH},
    CASE WHEN base.value IS NULL THEN 'BASE_NOT_PUBLISHED' {gap("now", "base")} END AS gap
FROM now LEFT JOIN base ON base.of_period = now.period ORDER BY now.period"""

MEASURE = f"""
WITH mine AS (
    SELECT * FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND partner = $partner
        AND code = $code AND freq = $freq),
x AS (SELECT * FROM mine WHERE flow = 'X'),
m AS (SELECT * FROM mine WHERE flow = 'M'),
paired AS (
    SELECT coalesce(x.period, m.period) AS period, coalesce(x.y, m.y) AS y, coalesce(x.mm, m.mm) AS mm,
        coalesce(x.cls = m.cls OR ($code = 'TOTAL' AND left(x.cls, 1) = left(m.cls, 1)), false) AS same,
        x.value AS exports, m.value AS imports, coalesce(x.cls, m.cls) AS cls,
        coalesce(x.flags, 0) | coalesce(m.flags, 0) AS flags,
        (x.value IS NOT NULL)::INT + (m.value IS NOT NULL)::INT AS figures
    FROM x FULL JOIN m ON x.period = m.period
    QUALIFY row_number() OVER (
        PARTITION BY coalesce(x.period, m.period)
        ORDER BY same DESC, x.standing DESC, m.standing DESC) = 1),
told AS (SELECT *, CASE WHEN same THEN exports {{sign}} imports END AS value FROM paired)
SELECT now.period, now.value, now.cls, now.flags, now.figures, now.exports, now.imports, {GROWTH},
    CASE WHEN base.period IS NULL THEN 'BASE_NOT_PUBLISHED'
        WHEN now.value IS NULL OR base.value IS NULL THEN 'PART_MISSING' {gap("now", "base")} END AS gap
FROM told AS now LEFT JOIN told AS base ON base.y = now.y - 1 AND base.mm = now.mm ORDER BY now.period"""

MONTHS_ADDED_UP = f"""
WITH months AS (
    SELECT * FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND partner = $partner
        AND flow = $flow AND code = $code AND freq = 'month'
        AND CAST(mm AS INTEGER) BETWEEN $first AND $last
    QUALIFY row_number() OVER (PARTITION BY period ORDER BY standing DESC) = 1),
newest AS (SELECT y, max_by(cls, standing) AS cls FROM months GROUP BY y),
told AS (
    SELECT y, newest.cls, CASE WHEN count(*) = $last - $first + 1 THEN sum(value) END AS value,
        bit_or(flags) AS flags, count(*) AS figures, list(period ORDER BY period) AS found
    FROM months JOIN newest USING (y)
    WHERE months.cls = newest.cls OR ($code = 'TOTAL' AND left(months.cls, 1) = left(newest.cls, 1))
    GROUP BY y, newest.cls)
SELECT now.*, {GROWTH},
    CASE WHEN base.y IS NULL THEN 'BASE_NOT_PUBLISHED'
        WHEN now.value IS NULL OR base.value IS NULL THEN 'MONTHS_MISSING' {gap("now", "base")} END AS gap
FROM told AS now LEFT JOIN told AS base ON base.y = now.y - 1 ORDER BY now.y"""

# The rows of a span: a period as published, or its months.
SPAN = "(CASE WHEN $months THEN freq = 'month' AND period BETWEEN $start AND $end ELSE period = $period END)"
SPAN_BEFORE = """(CASE WHEN $months
    THEN freq = 'month' AND period BETWEEN $start_before AND $end_before ELSE period = $period_before END)"""


def ranked(span, newest):
    """What is ranked in a span under one classification, `newest`: a row a key."""
    return f"""
    SELECT key, sum(value) AS value, bit_or(flags) AS flags, count(*) AS figures,
        max(cls) AS cls, row_number() OVER (ORDER BY sum(value) DESC, key) AS place
    FROM (
        SELECT * FROM mine WHERE {span} AND (
            cls = ({newest}) OR ($kin AND left(cls, 1) = left(({newest}), 1)))
        QUALIFY row_number() OVER (PARTITION BY key, period ORDER BY standing DESC) = 1)
    GROUP BY key"""


NEWEST = f"SELECT max_by(cls, standing) FROM mine WHERE {SPAN}"
# Goods of the same revision where the year before has it.
NEWEST_BEFORE = f"""SELECT max_by(cls, (cls = ({NEWEST}))::INT || standing) FROM mine WHERE {SPAN_BEFORE}"""

RANKING = f"""
WITH mine AS (
    SELECT *, {{key}} AS key FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND flow = $flow
        AND {{which}}),
now AS ({ranked(SPAN, NEWEST)}),
base AS ({ranked(SPAN_BEFORE, NEWEST_BEFORE)}),
total AS (SELECT sum(value) AS sum FROM now)
SELECT now.*, base.place AS place_before, {GROWTH},
    CAST(now.value AS DOUBLE) / CAST(total.sum AS DOUBLE) AS part, total.sum,
    CASE WHEN base.value IS NULL THEN 'BASE_NOT_PUBLISHED' {gap("now", "base")} END AS gap,
    ({NEWEST}) AS newest, ({NEWEST_BEFORE}) AS newest_before
FROM total, now LEFT JOIN base ON base.key = now.key ORDER BY now.place"""

# Months that the reporter published in the flow at a level, under a classification or one of its kin.
PUBLISHED_MONTHS = """
SELECT DISTINCT period FROM {f} WHERE dataset = $dataset AND reporter = $reporter AND flow = $flow
    AND lvl = $lvl AND freq = 'month' AND period BETWEEN $start AND $end
    AND (cls = $cls OR ($kin AND left(cls, 1) = left($cls, 1)))"""

# The figure of one code in a span, whole or not at all.
FIGURE = f"""
WITH mine AS (
    SELECT * FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND partner = $partner
        AND flow = $flow AND code = $code AND {SPAN} AND ($cls IS NULL OR cls = $cls
            OR ($code = 'TOTAL' AND left(cls, 1) = left($cls, 1)))),
newest AS (SELECT max_by(cls, standing) AS cls FROM mine),
taken AS (
    SELECT mine.* FROM mine, newest
    WHERE mine.cls = newest.cls OR ($code = 'TOTAL' AND left(mine.cls, 1) = left(newest.cls, 1))
    QUALIFY row_number() OVER (PARTITION BY period ORDER BY standing DESC) = 1)
SELECT sum(value) AS value, bit_or(flags) AS flags, count(*) AS figures, max(cls) AS cls FROM taken
HAVING count(*) = $wanted"""

# All codes of a level within another in a span, under the newest revision, or the one given.
BY_CODE = f"""
WITH mine AS (
    SELECT * FROM {{f}} WHERE dataset = $dataset AND reporter = $reporter AND partner = $partner
        AND flow = $flow AND lvl = $lvl AND ($code = 'TOTAL' OR starts_with(code, $code)) AND {SPAN}),
newest AS (SELECT coalesce($cls, max_by(cls, standing)) AS cls FROM mine)
SELECT code, sum(value) AS value, bit_or(flags) AS flags, count(*) AS figures, cls FROM mine
WHERE cls = (SELECT cls FROM newest) GROUP BY code, cls ORDER BY code"""

COVERAGE = """
SELECT reporter, flow, freq, min(period) AS first, max(period) AS last, count(DISTINCT period) AS periods,
    list(DISTINCT lvl ORDER BY lvl) AS levels, list(DISTINCT cls ORDER BY cls) AS classes
FROM {f} WHERE dataset = $dataset GROUP BY reporter, flow, freq"""


def span(period, months):
    """A period and the year before it, as published or as its months."""
    before = str(int(period[:4]) - 1) + period[4:]
    first, last = (f"{period}-01", f"{period}-12") if len(period) == 4 else (period, period)
    if ".." in period:
        first, last = period.split("..")
    year_before = lambda month: str(int(month[:4]) - 1) + month[4:]
    return {
        "period": period,
        "period_before": before,
        "months": months,
        "start": first,
        "end": last,
        "start_before": year_before(first),
        "end_before": year_before(last),
        "wanted": int(last[5:]) - int(first[5:]) + 1 if months else 1,
    }


def months_between(first, last):
    return [f"{first[:5]}{month:02}" for month in range(int(first[5:]), int(last[5:]) + 1)]


def equal(what, found, expected):
    assert found == expected, f"{what}: SQL says {expected!r}, the service {found!r}"


def exact(what, found, expected):
    expected = "" if expected is None else expected.quantize(Decimal("0.000001"))
    found = Decimal(found) if found else found
    equal(what, found, expected)


def close(what, found, expected, off=HALF):
    assert found, f"{what}: SQL says {expected}, the service nothing"
    near = abs(float(found) - expected) <= off + 1e-12 * abs(expected)
    assert near, f"{what}: SQL says {expected}, the service {found}"


def name_of(message, field, prefix):
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    return kind.values_by_number[getattr(message, field)].name.removeprefix(prefix)


def flag_bits(flags):
    return sum(1 << flag for flag in flags)


def same_growth(what, found, row):
    outcome = found.WhichOneof("outcome")
    if row["gap"]:
        told = name_of(found, "gap", "GROWTH_GAP_") if outcome == "gap" else found.ratio
        equal(f"{what} growth", told, row["gap"])
    else:
        equal(f"{what} growth", outcome, "ratio")
        close(f"{what} growth", found.ratio, row["growth"])


class Questions:
    """Each method puts one question to both, and fails where they differ."""

    def __init__(self, service, sql, view):
        self.service = service
        self.sql = sql
        self.view = view

    def select(self, query, parts=None, **parameters):
        return self.sql.ask(query.format(f=f"f{self.view}", **(parts or {})), **parameters)

    def ask(self, method, **fields):
        return self.service.ask(method, self.view, **fields)

    def line(self, dataset, reporter, partner, code, **more):
        return {
            "parent": self.service.parent(dataset),
            "reporter": reporter,
            "partner": partner,
            "code": code,
            **more,
        }

    def same_points(self, points, rows):
        equal("periods", [point.period for point in points], [row["period"] for row in rows])
        for point, row in zip(points, rows):
            exact(f"value of {point.period}", point.value, row["value"])
            equal(f"classification of {point.period}", point.classification, row["cls"])
            equal(f"flags of {point.period}", flag_bits(point.flags), row["flags"])
            equal(f"figures of {point.period}", point.figures, row["figures"])
            same_growth(point.period, point.growth, row)

    def series(self, dataset, reporter, partner, flow, code, freq):
        line = self.line(dataset, reporter, partner, code, flow=FLOWS[flow], frequency=FREQUENCIES[freq])
        found = self.ask("GetSeries", **line)
        rows = self.select(
            SERIES, dataset=dataset, reporter=reporter, partner=partner, flow=flow, code=code, freq=freq
        )
        self.same_points(found.points, rows)
        equal("reason", bool(found.empty_reason), not rows)

    def measure(self, dataset, reporter, partner, code, freq, measure):
        line = self.line(dataset, reporter, partner, code, measure=measure, frequency=FREQUENCIES[freq])
        found = self.ask("GetSeries", **line)
        sign = {"MEASURE_BALANCE": "-", "MEASURE_TURNOVER": "+"}[measure]
        rows = self.select(
            MEASURE, {"sign": sign}, dataset=dataset, reporter=reporter, partner=partner, code=code, freq=freq
        )
        self.same_points(found.points, rows)
        for point, row in zip(found.points, rows):
            exact(f"exports of {point.period}", point.exports, row["exports"])
            exact(f"imports of {point.period}", point.imports, row["imports"])
            equal(f"something missing of {point.period}", bool(point.missing), row["value"] is None)

    def added_up(self, dataset, reporter, partner, flow, code, first, last):
        months = {"first": first, "last": last}
        line = self.line(dataset, reporter, partner, code, flow=FLOWS[flow], months=months)
        found = self.ask("GetSeries", frequency="FREQUENCY_CUMULATED", **line)
        rows = self.select(
            MONTHS_ADDED_UP, dataset=dataset, reporter=reporter, partner=partner, flow=flow, code=code, **months
        )
        for row in rows:
            bounds = (f"{row['y']}-{first:02}", f"{row['y']}-{last:02}")
            row["period"] = str(row["y"]) if (first, last) == (1, 12) else "..".join(bounds)
            row["missing"] = [one for one in months_between(*bounds) if one not in row["found"]]
        self.same_points(found.points, rows)
        for point, row in zip(found.points, rows):
            equal(f"months missing of {point.period}", [one.period for one in point.missing], row["missing"])

    def partners(self, dataset, reporter, flow, code, period, months, top):
        line = {"dataset": dataset, "reporter": reporter, "flow": flow, "code": code, **span(period, months)}
        found = self.ask(
            "RankPartners",
            parent=self.service.parent(dataset),
            reporter=reporter,
            flow=FLOWS[flow],
            code=code,
            period=period,
            basis="PERIOD_BASIS_SUM_OF_MONTHS" if months else "PERIOD_BASIS_PUBLISHED",
            top=top,
        )
        which = f"code = $code AND partner NOT IN {tuple(GROUPS)}"
        total = {"partner": "WLD", "code": code}
        self.same_ranking(found, line, {"key": "partner", "which": which}, code == "TOTAL", total, level(code))

    def commodities(self, dataset, reporter, partner, flow, lvl, within, period, months, top):
        line = {"dataset": dataset, "reporter": reporter, "flow": flow, **span(period, months)}
        line.update(partner=partner, lvl=lvl, within=within, code="")
        found = self.ask(
            "RankCommodities",
            parent=self.service.parent(dataset),
            reporter=reporter,
            partner=partner,
            flow=FLOWS[flow],
            level=lvl,
            within=within,
            period=period,
            basis="PERIOD_BASIS_SUM_OF_MONTHS" if months else "PERIOD_BASIS_PUBLISHED",
            top=top,
        )
        which = "partner = $partner AND lvl = $lvl AND starts_with(code, $within)"
        total = {"partner": partner, "code": within or "TOTAL"}
        self.same_ranking(found, line, {"key": "code", "which": which}, False, total, lvl)

    def same_ranking(self, found, line, parts, kin, total, lvl):
        rows = self.select(RANKING, parts, kin=kin, **line)
        equal("reason", bool(found.empty_reason), not rows)
        if not rows:
            equal("entries", len(found.entries), 0)
            return
        newest = rows[0]["newest"]
        missing = self.missing_months(line, newest, kin, lvl, line["start"], line["end"])
        before = rows[0]["newest_before"] or newest
        missing += self.missing_months(line, before, kin, lvl, line["start_before"], line["end_before"])
        equal("months missing", [one.period for one in found.missing], missing)
        equal("classification", found.classification, max(row["cls"] for row in rows))

        top = len(found.entries)
        equal("keys", [entry.key for entry in found.entries], [row["key"] for row in rows][:top])
        published = self.select(FIGURE, **{**line, **total, "cls": newest})
        published = published[0]["value"] if published else None
        summed = rows[0]["sum"]
        exact("published total", found.published_total, published)
        exact("sum of parts", found.sum_of_parts, summed)
        whole = summed if published is None else published
        shares = []
        for entry, row in zip(found.entries, rows):
            what = entry.key
            if row["gap"] != "BASE_NOT_PUBLISHED" and missing:
                row["gap"] = "MONTHS_MISSING"
            equal(f"rank of {what}", entry.rank, row["place"])
            exact(f"value of {what}", entry.value, row["value"])
            equal(f"flags of {what}", flag_bits(entry.flags), row["flags"])
            equal(f"figures of {what}", entry.figures, row["figures"])
            equal(f"rank before of {what}", entry.rank_before, row["place_before"] or 0)
            same_growth(what, entry.growth, row)
            shares.append((what, entry.share, row["value"]))
        beyond = sum((row["value"] for row in rows[top:]), Decimal(0))
        equal("rest", found.HasField("rest"), len(rows) > top)
        if found.HasField("rest"):
            exact("value of the rest", found.rest.value, beyond)
            equal("parts of the rest", found.rest.parts, len(rows) - top)
            shares.append(("the rest", found.rest.share, beyond))
        equal("unallocated", found.HasField("unallocated"), whole != summed)
        if found.HasField("unallocated"):
            exact("value of the unallocated", found.unallocated.value, whole - summed)
            shares.append(("the unallocated", found.unallocated.share, whole - summed))
        self.same_shares(found, shares, whole, published)
        self.same_concentration(found.concentration, rows, summed)

    def missing_months(self, line, cls, kin, lvl, start, end):
        if not line["months"]:
            return []
        asked = {**line, "start": start, "end": end, "lvl": lvl}
        published = {row["period"] for row in self.select(PUBLISHED_MONTHS, cls=cls, kin=kin, **asked)}
        return [month for month in months_between(start, end) if month not in published]

    def same_shares(self, found, shares, whole, published):
        kind = name_of(found, "share_of", "SHARE_OF_")
        if whole <= 0:
            equal("shares of", kind, "UNSPECIFIED")
            return
        equal("shares of", kind, "SUM_OF_PARTS" if published is None else "PUBLISHED_TOTAL")
        for what, share, value in shares:
            close(f"share of {what}", share, float(value / whole), off=1e-6)
        equal("sum of shares", sum(Decimal(share) for _, share, _ in shares), 1)

    def same_concentration(self, found, rows, summed):
        parts = [float(row["value"] / summed) for row in rows if row["value"] > 0] if summed else []
        equal("parts of the concentration", found.parts, len(parts))
        if parts:
            self.same_hhi(found.hhi, found.hhi_normalised, parts)

    def same_hhi(self, found, normalised, parts):
        hhi, n = sum(part**2 for part in parts), len(parts)
        close("HHI", found, hhi)
        if n == 1:
            equal("HHI normalised", normalised, "")
        else:
            close("HHI normalised", normalised, (hhi - 1 / n) / (1 - 1 / n))

    def figure(self, dataset, reporter, partner, flow, code, when, cls=None):
        rows = self.select(
            FIGURE, dataset=dataset, reporter=reporter, partner=partner, flow=flow, code=code, cls=cls, **when
        )
        return rows[0] if rows else None

    def by_code(self, dataset, reporter, partner, flow, code, lvl, when, cls=None):
        return self.select(
            BY_CODE,
            dataset=dataset,
            reporter=reporter,
            partner=partner,
            flow=flow,
            code=code,
            lvl=lvl,
            cls=cls,
            **when,
        )

    def mirror(self, first, second, period, months, code, lvl, top):
        sides = [{"dataset": self.service.parent(one[0]), "reporter": one[1]} for one in (first, second)]
        found = self.ask(
            "GetMirror",
            first=sides[0],
            second=sides[1],
            period=period,
            basis="PERIOD_BASIS_SUM_OF_MONTHS" if months else "PERIOD_BASIS_UNSPECIFIED",
            code=code,
            level=lvl,
            top=top,
        )
        when = span(period, months)
        self.same_direction(found.first_to_second, first, second, when, code, lvl, top)
        self.same_direction(found.second_to_first, second, first, when, code, lvl, top)
        turnovers = []
        for (dataset, reporter), (_, partner) in ((first, second), (second, first)):
            both = [self.figure(dataset, reporter, partner, flow, code, when) for flow in "XM"]
            turnovers.append(self.both(both, code))
        self.same_line(found.turnover, code, *turnovers, at_fob=False)

    def both(self, figures, code):
        x, m = figures
        if x is None or m is None or not same_goods(code, x, m):
            return None
        return {
            "value": x["value"] + m["value"],
            "flags": x["flags"] | m["flags"],
            "figures": x["figures"] + m["figures"],
            "cls": x["cls"],
        }

    def same_direction(self, found, exporter, importer, when, code, lvl, top):
        (of_exporter, x), (of_importer, m) = exporter, importer
        equal("exporter", found.exporter, x)
        exports = self.figure(of_exporter, x, m, "X", code, when)
        imports = self.figure(of_importer, m, x, "M", code, when)
        self.same_line(found.total, code, exports, imports)
        if not lvl:
            equal("lines", len(found.lines), 0)
            return
        exports = self.lines(of_exporter, x, m, "X", code, lvl, when)
        imports = self.lines(of_importer, m, x, "M", code, lvl, when)
        codes = sorted(exports.keys() | imports.keys(), key=lambda one: self.by_gap(one, exports, imports))
        equal("codes", [line.code for line in found.lines], codes[:top])
        equal("omitted lines", found.omitted_lines, max(0, len(codes) - top))
        for line in found.lines:
            self.same_line(line, line.code, exports.get(line.code), imports.get(line.code))

    def lines(self, dataset, reporter, partner, flow, code, lvl, when):
        """The rows by code; `None` for each where a month was not published, so that none is whole."""
        rows = self.by_code(dataset, reporter, partner, flow, code, lvl, when)
        part = self.unpublished(dataset, reporter, rows, lvl, when, flow)
        return {row["code"]: None if part else row for row in rows}

    def by_gap(self, code, exports, imports):
        a, b = exports.get(code), imports.get(code)
        if a is None or b is None or self.apart(code, a, b):
            return (1, 0, code)
        return (0, -abs(a["value"] - b["value"]), code)

    def apart(self, code, a, b):
        """What keeps two sides' figures from having a gap."""
        gaps = [] if same_goods(code, a, b) else ["CLASSIFICATION_DIFFERS"]
        bounded = (a["flags"] | b["flags"]) & (1 << LOWER_BOUND)
        return gaps + (["LOWER_BOUND"] if bounded else [])

    def same_line(self, found, code, a, b, at_fob=True):
        what = f"mirror of {code}"
        for side, row in ((found.exporter_figure, a), (found.importer_figure, b)):
            exact(f"{what} figure", side.value, row and row["value"])
            equal(f"{what} flags", flag_bits(side.flags), row["flags"] if row else 0)
            equal(f"{what} figures", side.figures, row["figures"] if row else 0)
            equal(f"{what} classification", side.classification, row["cls"] if row else "")
        expected = []
        if a is None or b is None:
            sides = (("EXPORTER", a), ("IMPORTER", b))
            expected = [f"{side}_MISSING" for side, row in sides if row is None]
            equal(f"{what} says what is missing", bool(found.missing), True)
        else:
            expected = self.apart(code, a, b)
            equal(f"{what} misses nothing", len(found.missing), 0)
        if expected:
            equal(f"{what} gap", found.gap, "")
        else:
            self.same_asymmetry(what, found.asymmetry, a["value"], b["value"])
            exact(f"{what} gap", found.gap, a["value"] - b["value"])
            expected += ["BOTH_ZERO"] if a["value"] == b["value"] == 0 else []
            if at_fob:
                imported = b["value"] / Decimal("1.06")
                close(f"{what} at FOB", found.importer_at_fob, float(imported), off=1e-6)
                fob = Decimal(found.importer_at_fob)
                equal(f"{what} gap at FOB", Decimal(found.gap_at_fob), a["value"] - fob)
                self.same_asymmetry(f"{what} at FOB", found.asymmetry_at_fob, a["value"], fob)
            else:
                expected += ["VALUATION_NOT_STATED"]
        kind = found.DESCRIPTOR.fields_by_name["gaps"].enum_type
        gaps = [kind.values_by_number[one].name.removeprefix("MIRROR_GAP_") for one in found.gaps]
        equal(f"{what} gaps", gaps, expected)

    def same_asymmetry(self, what, found, a, b):
        for denominator, value in (("of_mean", (a + b) / 2), ("of_exporter", a), ("of_importer", b)):
            ratio = getattr(found, denominator)
            if value == 0:
                equal(f"{what} {denominator}", ratio, "")
            else:
                close(f"{what} {denominator}", ratio, float((a - b) / value))

    def indicators(self, dataset, reporter, partner, code, period, months, world, lvl):
        found = self.ask(
            "GetIndicators",
            parent=self.service.parent(dataset),
            reporter=reporter,
            partner=partner,
            code=code,
            period=period,
            basis="PERIOD_BASIS_SUM_OF_MONTHS" if months else "PERIOD_BASIS_UNSPECIFIED",
            world=world,
            level=lvl,
        )
        when = span(period, months)
        one = lambda reporter, partner, flow, code, cls=None: self.figure(
            dataset, reporter, partner, flow, code, when, cls
        )
        every = lambda partner, code, cls=None: (
            one("WLD", partner, "X", code, cls)
            if world == "WORLD_REFERENCE_PUBLISHED"
            else self.sum_of_reporters(dataset, partner, code, when, cls)
        )
        told = {name_of(one, "kind", "INDICATOR_KIND_"): one for one in found.indicators}

        x_ik = one(reporter, "WLD", "X", code)
        cls = x_ik["cls"] if x_ik else None
        rca = [x_ik, one(reporter, "WLD", "X", "TOTAL")]
        rca += [every("WLD", code, cls), every("WLD", "TOTAL")]
        self.same_indicator(told["RCA"], code != "TOTAL" or "NEEDS_COMMODITY", rca, double_ratio)

        intensity = [one(reporter, partner, "X", "TOTAL"), one(reporter, "WLD", "X", "TOTAL")]
        intensity += [every(partner, "TOTAL"), every("WLD", "TOTAL")]
        needs = partner != "WLD" or "NEEDS_PARTNER"
        self.same_indicator(told["TRADE_INTENSITY"], needs, intensity, double_ratio)

        x = one(reporter, partner, "X", code)
        m = one(reporter, partner, "M", code, x["cls"] if x else None)
        needs = code != "TOTAL" or "NEEDS_COMMODITY"
        self.same_indicator(told["GRUBEL_LLOYD"], needs, [x, m], grubel_lloyd)

        self.same_partner_concentration(told["PARTNER_CONCENTRATION"], dataset, reporter, code, when)

        if level(code) == 6:
            for kind in ("COMMODITY_CONCENTRATION", "GRUBEL_LLOYD_AGGREGATE"):
                self.same_indicator(told[kind], "NEEDS_FINER_CODES", [None], hhi)
            return
        within = code
        exports = self.by_code(dataset, reporter, partner, "X", within, lvl, when)
        part = self.unpublished(dataset, reporter, exports, lvl, when, "X")
        inputs = [None] if part or not exports else exports
        self.same_indicator(told["COMMODITY_CONCENTRATION"], True, inputs, hhi)

        cls = exports[0]["cls"] if exports else None
        imports = self.by_code(dataset, reporter, partner, "M", within, lvl, when, cls)
        part = part or self.unpublished(dataset, reporter, imports, lvl, when, "M")
        inputs = [None] if part or not exports or not imports else [*exports, *imports]
        sides = [{row["code"]: row["value"] for row in rows} for rows in (exports, imports)]
        codes = sorted(sides[0].keys() | sides[1].keys())
        pairs = [(sides[0].get(one, 0), sides[1].get(one, 0)) for one in codes]
        aggregate = told["GRUBEL_LLOYD_AGGREGATE"]
        self.same_indicator(aggregate, True, inputs, lambda _: grubel_lloyd_aggregate(pairs))

    def same_partner_concentration(self, found, dataset, reporter, code, when):
        line = {"dataset": dataset, "reporter": reporter, "flow": "X", "code": code, **when}
        parts = {"key": "partner", "which": f"code = $code AND partner NOT IN {tuple(GROUPS)}"}
        kin = code == "TOTAL"
        rows = self.select(RANKING, parts, kin=kin, **line)
        part = rows and self.missing_months(
            line, rows[0]["newest"], kin, level(code), when["start"], when["end"]
        )
        self.same_indicator(found, True, [None] if part or not rows else rows, hhi)

    def unpublished(self, dataset, reporter, rows, lvl, when, flow):
        """The months that the reporter did not publish at the level and under the revision of the rows."""
        if not rows:
            return []
        line = {"dataset": dataset, "reporter": reporter, "flow": flow, **when}
        return self.missing_months(line, rows[0]["cls"], False, lvl, when["start"], when["end"])

    def sum_of_reporters(self, dataset, partner, code, when, cls):
        found = [
            self.figure(dataset, reporter, partner, "X", code, when, cls) for reporter in REPORTERS[dataset]
        ]
        found = [row for row in found if row]
        if not found:
            return None
        flags = 0
        for row in found:
            flags |= row["flags"]
        return {"value": sum(row["value"] for row in found), "flags": flags}

    def same_indicator(self, found, needs, inputs, compute):
        what = name_of(found, "kind", "INDICATOR_KIND_")
        told = name_of(found, "gap", "INDICATOR_GAP_")
        bounded = any(row and row["flags"] & (1 << LOWER_BOUND) for row in inputs)
        if needs is not True:
            equal(f"{what} gap", told, needs)
        elif bounded and None in inputs:
            # Both hold, and the schema does not say which is told.
            assert told in ("LOWER_BOUND", "INPUT_MISSING"), f"{what} gap is {told}"
        elif bounded:
            equal(f"{what} gap", told, "LOWER_BOUND")
        elif None in inputs:
            equal(f"{what} gap", told, "INPUT_MISSING")
            assert found.missing, f"{what} does not say what is missing"
        else:
            value = compute([row["value"] for row in inputs])
            if value is None:
                equal(f"{what} gap", told, "DIVIDES_BY_ZERO")
            elif isinstance(value, list):
                equal(f"{what} gap", told, "UNSPECIFIED")
                self.same_hhi(found.value, found.normalised, value)
            else:
                equal(f"{what} gap", told, "UNSPECIFIED")
                close(what, found.value, float(value))

    def coverage(self, dataset):
        found, token = [], ""
        while True:
            page = self.ask("ListCoverage", parent=self.service.parent(dataset), page_size=2, page_token=token)
            found += page.coverage
            token = page.next_page_token
            if not token:
                break
        flows = {name: flow for flow, name in FLOWS.items()}
        freqs = {name: freq for freq, name in FREQUENCIES.items()}
        told = {
            (one.reporter, flows[name_of(one, "flow", "")], freqs[name_of(one, "frequency", "")]): (
                one.first_period,
                one.last_period,
                one.periods,
                list(one.levels),
                list(one.classifications),
            )
            for one in found
        }
        rows = self.select(COVERAGE, dataset=dataset)
        expected = {
            (row["reporter"], row["flow"], row["freq"]): (
                row["first"],
                row["last"],
                row["periods"],
                row["levels"],
                row["classes"],
            )
            for row in rows
        }
        equal("coverage", told, expected)


def same_goods(code, a, b):
    return a["cls"] == b["cls"] or (code == "TOTAL" and a["cls"][0] == b["cls"][0])


def double_ratio(values):
    a, b, c, d = values
    return None if 0 in (b, c, d) else (a / b) / (c / d)


def grubel_lloyd(values):
    x, m = values
    return None if x + m == 0 else 1 - abs(x - m) / (x + m)


def grubel_lloyd_aggregate(pairs):
    whole = sum(x + m for x, m in pairs)
    return None if whole == 0 else 1 - sum(abs(x - m) for x, m in pairs) / whole


def hhi(values):
    whole = sum(values)
    return [float(value / whole) for value in values if value > 0] if whole else None


def questions(ask, dice):
    """Questions in the order of the dice: the method, and what is asked. The same dice ask the same."""
    sides = [(dataset, reporter) for dataset in REPORTERS for reporter in REPORTERS[dataset]]
    partners = [*PARTNERS, *GROUPS]
    spans = [("2022", False), ("2023", False), ("2023-02", False), ("2024-02", False), ("2023-07", False)]
    spans += [("2022", True), ("2023", True), ("2024-01..2024-05", True), ("2023-02..2023-06", True)]
    some = [code for code in CODES for _ in range(4 if level(code) < 2 else 1)]
    for dataset in REPORTERS:
        yield ask.coverage, (dataset,)
    for _ in range(120):
        side, partner, code = dice.choice(sides), dice.choice(partners), dice.choice(some)
        flow, freq = dice.choice("XM"), dice.choice(list(FREQUENCIES))
        yield ask.series, (*side, partner, flow, code, freq)
        measure = dice.choice(["MEASURE_BALANCE", "MEASURE_TURNOVER"])
        yield ask.measure, (*side, partner, code, freq, measure)
        months = dice.choice([(1, 5), (1, 12), (2, 3), (3, 6)])
        yield ask.added_up, (*side, partner, flow, code, *months)
        period, months = dice.choice(spans)
        top = dice.choice([0, 1, 3, 1000])
        yield ask.partners, (*side, flow, code, period, months, top)
        lvl, within = dice.choice([(2, ""), (4, ""), (6, ""), (4, "87"), (6, "87"), (6, "8703"), (4, "99")])
        yield ask.commodities, (*side, partner, flow, lvl, within, period, months, top)
        world = dice.choice(["WORLD_REFERENCE_PUBLISHED", "WORLD_REFERENCE_SUM_OF_REPORTERS"])
        lvl = dice.choice([one for one in (2, 4, 6) if one > level(code)] or [0])
        yield ask.indicators, (*side, partner, code, period, months, world, lvl)
        first, second = dice.choice(sides), dice.choice(sides)
        if first[1] != second[1]:
            lvl = dice.choice([one for one in (0, 2, 4, 6) if one == 0 or one > level(code)])
            yield ask.mirror, (first, second, period, months, code, lvl, dice.choice([1, 3, 1000]))


def main(address, seed):
    figures = Figures(seed)
    print(f"seed {seed}: {sum(map(len, figures.ingests))} figures in {len(figures.ingests)} ingests")
    sql = Sql(figures)
    passed, failed = Counter(), Counter()
    with connected(address) as client:
        service = Service(client)
        service.record(figures)
        for view in (3, 2, 1):
            for method, asked in questions(Questions(service, sql, view), random.Random(seed)):
                try:
                    method(*asked)
                except Exception as error:
                    failed[method.__name__] += 1
                    print(f"failed  {method.__name__}{asked} after ingest {view}: {error}")
                    if not isinstance(error, AssertionError):
                        traceback.print_exc(file=sys.stdout)
                else:
                    passed[method.__name__] += 1
    for name in sorted(passed | failed):
        print(f"{name:12} {passed[name]:5} as SQL says, {failed[name]} not")
    print(f"{passed.total()} passed, {failed.total()} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: golden.py ADDR [SEED]")
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else SEED))
