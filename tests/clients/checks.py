"""What a client in another language must find on a running `entente demo`.

Each story below is run twice: by `stubs_client.py` with generated classes, and by `reflection_client.py`
with nothing but the server's reflection. Each gives `Client` the three things in which they differ.

Every run makes a dataset of its own, so the stories may be run again on the same data.
"""

import itertools
import sys
import traceback
import uuid
from decimal import Decimal

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

SERVICE = "entente.trade.v1.TradeService"
# Seconds that any call may take; a call that hangs fails its story.
PATIENCE = 20


def run(client, stories):
    """Tells the stories in order, prints a line for each and a total, and answers the exit code."""
    passed, failed = 0, 0
    for story in stories:
        try:
            story(client)
        except Exception:
            failed += 1
            print(f"failed  {story.__doc__}")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"ok      {story.__doc__}")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def refused(call, code, reason=None, fields=()):
    """Makes a call that must fail with this code, this reason, and these fields named; answers its
    `ErrorInfo` metadata."""
    try:
        answer = call()
    except grpc.RpcError as error:
        equal(error.code(), code)
        status = rpc_status.from_call(error)
    else:
        raise AssertionError(f"expected {code}, was answered {answer}")
    assert status is not None, f"{code} came without details"

    info = detail(status, error_details_pb2.ErrorInfo)
    assert info is not None, f"{code} came without ErrorInfo"
    equal((info.domain, info.reason), ("entente", reason))
    if fields:
        bad_request = detail(status, error_details_pb2.BadRequest)
        assert bad_request is not None, f"{code} came without BadRequest"
        equal(sorted(one.field for one in bad_request.field_violations), sorted(fields))
        for violation in bad_request.field_violations:
            assert violation.description, f"{violation.field} has no description"
    return dict(info.metadata)


def detail(status, kind):
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found = kind()
            packed.Unpack(found)
            return found
    return None


class Client:
    """Calls by method name with plain fields; also knows what this run creates.

    `trade` has a callable for every method, `health(service)` answers a status, and `message(name)` is
    the class of a message of `entente.trade.v1`.
    """

    def __init__(self, trade, health, message):
        self.health = health
        self._trade = trade
        self._message = message
        self.dataset_id = f"python-check-{uuid.uuid4().hex[:12]}"
        self.dataset = f"datasets/{self.dataset_id}"
        self.request_id = str(uuid.uuid4())

    def call(self, method, timeout=PATIENCE, **fields):
        request = self._message(f"{method}Request")(**fields)
        return getattr(self._trade, method)(request, timeout=timeout)

    def create(self, **changed):
        fields = {
            "dataset_id": self.dataset_id,
            "request_id": self.request_id,
            "dataset": {
                # Several languages: a map has no order on the wire, and a request sent again may
                # carry them in another one.
                "display_name": {
                    "texts": {
                        "en": "Made up",
                        "fr": "Inventé",
                        "kk": "Ойдан шығарылған",
                        "ru": "Вымышлено",
                        "zh-Hans": "虚构",
                    }
                },
                "source": {
                    "title": "Made up for a check",
                    "publisher": "tests/clients",
                    "read_on": {"year": 2024, "month": 7, "day": 2},
                },
                "currency_code": "USD",
                "import_valuation": "VALUATION_CIF",
                "export_valuation": "VALUATION_FOB",
            },
        }
        fields.update(changed)
        return self.call("CreateDataset", **fields)

    def ingest(self, *batches, timeout=PATIENCE, **changed):
        part = self._message("IngestObservationsRequest")
        header = part(header={"parent": self.dataset, "ingest_id": "first", **changed})
        parts = [header] + [part(batch=batch) for batch in batches]
        return self._trade.IngestObservations(iter(parts), timeout=timeout)

    def series(self, **changed):
        fields = {
            "parent": "datasets/china-customs",
            "reporter": "CHN",
            "partner": "KAZ",
            "flow": "FLOW_TOTAL_TRADE",
            "code": "TOTAL",
            "frequency": "FREQUENCY_YEAR",
        }
        fields.update(changed)
        return self.call("GetSeries", **fields)


# Three figures that can be recorded, and a row that cannot.
BATCH = {
    "sequence": 1,
    "groups": [
        {
            "reporter": "KAZ",
            "partner": "CHN",
            "flow": "FLOW_EXPORT",
            "classification": "H6",
            "period": "2023",
            "rows": [
                {"number": 1, "code": "TOTAL", "value": "1234567.89"},
                {"number": 2, "code": "87", "value": "1000", "net_weight": "12.5"},
                {
                    "number": 3,
                    "code": "870380",
                    "value": "250.5",
                    "flags": ["OBSERVATION_FLAG_ROUNDED"],
                    "source": 1,
                },
                {"number": 4, "code": "8704", "value": "NaN"},
            ],
        }
    ],
    "sources": [{"title": "A speech", "publisher": "A ministry"}],
}


def serving(client):
    """the health service says SERVING"""
    from grpc_health.v1 import health_pb2

    for service in ("", SERVICE):
        equal(client.health(service), health_pb2.HealthCheckResponse.SERVING)


def created(client):
    """a dataset is created and read back"""
    dataset = client.create()
    equal(dataset.name, client.dataset)
    assert dataset.etag, "no etag"
    assert dataset.create_time.seconds > 0, "no create_time"
    equal(client.call("GetDataset", name=client.dataset), dataset)


def created_once(client):
    """the same request again answers the same dataset"""
    equal(client.create(), client.call("GetDataset", name=client.dataset))


def request_id_reused(client):
    """a request id is refused for another request"""
    refused(
        lambda: client.create(dataset_id=f"{client.dataset_id}-b"),
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )


def name_taken(client):
    """the id of a dataset is taken once"""
    refused(
        lambda: client.create(request_id=str(uuid.uuid4())),
        grpc.StatusCode.ALREADY_EXISTS,
        "ALREADY_EXISTS",
    )


def ingested(client):
    """figures are ingested, and the row that cannot be is named"""
    answer = client.ingest(BATCH)
    counts = answer.counts
    equal((counts.new, counts.revised, counts.unchanged, counts.rejected), (3, 0, 0, 1))
    equal([(one.row, one.field) for one in answer.rejections], [(4, "value")])
    equal(answer.ingest.next_sequence, 2)
    assert answer.position > 0, "nothing was written"


def ingested_once(client):
    """batches that are in are skipped when sent again"""
    answer = client.ingest(BATCH)
    equal((answer.skipped_batches, answer.counts.new), (1, 0))
    state = client.call("GetIngest", name=f"{client.dataset}/ingests/first")
    equal((state.next_sequence, state.counts.new), (2, 3))


def ingest_gap(client):
    """a batch out of sequence is refused, and the next one is named"""
    metadata = refused(
        lambda: client.ingest({**BATCH, "sequence": 3}),
        grpc.StatusCode.FAILED_PRECONDITION,
        "SEQUENCE_GAP",
    )
    equal(metadata.get("next_sequence"), "2")


def observed(client):
    """a figure is read with its value, its flag and its source"""
    prefix = f"{client.dataset}/observations/KAZ.CHN.X.H6"
    total = client.call("GetObservation", name=f"{prefix}.TOTAL.2023")
    equal((total.reporter, total.partner, total.period), ("KAZ", "CHN", "2023"))
    equal((total.commodity.classification, total.commodity.code), ("H6", "TOTAL"))
    equal((total.value.currency_code, Decimal(total.value.amount)), ("USD", Decimal("1234567.89")))
    equal(total.source.title, "Made up for a check")
    assert total.vintage.seconds > 0, "no vintage"

    car = client.call("GetObservation", name=f"{prefix}.870380.2023")
    equal(len(car.flags), 1)
    equal(car.source.title, "A speech")


def listed(client):
    """a list comes whole in pages of two"""
    codes, pages, token = [], 0, ""
    while pages == 0 or token:
        page = client.call(
            "ListObservations", parent=client.dataset, page_size=2, page_token=token
        )
        assert len(page.observations) <= 2, "a page is longer than asked for"
        codes += [one.commodity.code for one in page.observations]
        pages, token = pages + 1, page.next_page_token
        assert pages < 10, "the list does not end"
    equal(sorted(codes), ["87", "870380", "TOTAL"])
    assert pages >= 2, "three figures came on one page of two"


def foreign_page_token(client):
    """a page token is refused for another query"""
    first = client.call("ListObservations", parent=client.dataset, page_size=1)
    assert first.next_page_token, "three figures came on one page of one"
    for token, query in [
        (first.next_page_token, {"filter": {"code": "87"}}),
        ("no-token", {}),
    ]:
        refused(
            lambda: client.call(
                "ListObservations", parent=client.dataset, page_size=1, page_token=token, **query
            ),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_PAGE_TOKEN",
        )


def negative_page_size(client):
    """a negative page size is refused"""
    for method, parent in [("ListDatasets", {}), ("ListObservations", {"parent": client.dataset})]:
        refused(
            lambda: client.call(method, page_size=-1, **parent),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            ["page_size"],
        )


def series(client):
    """a series has the published figures and growth like for like"""
    found = client.series()
    equal(found.currency_code, "USD")
    points = {point.period: point for point in found.points}
    equal(Decimal(points["2021"].value), Decimal(25_250_000_000))
    equal(Decimal(points["2022"].value), Decimal(31_200_000_000))
    growth = points["2022"].growth
    # 31.2 / 25.25 - 1
    equal((growth.WhichOneof("outcome"), growth.base_period), ("ratio", "2021"))
    equal(Decimal(growth.ratio), Decimal("0.235644"))
    for point in found.points:
        source = found.sources[point.source - 1]
        assert source.title and source.publisher, f"{point.period} has no source"


def empty_series(client):
    """a series without points says why"""
    found = client.series(partner="FJI")
    equal(len(found.points), 0)
    reason = type(found).DESCRIPTOR.fields_by_name["empty_reason"].enum_type
    equal(
        reason.values_by_number[found.empty_reason].name, "EMPTY_REASON_PARTNER_NOT_COVERED"
    )


def watched(client):
    """a watch starts with the first change, goes on in order, and can be cancelled"""
    stream = client.call("WatchChanges")
    entries = list(itertools.islice(stream, 3))
    stream.cancel()
    positions = [entry.position for entry in entries]
    equal(positions, sorted(set(positions)))
    equal(entries[0].changes[0].WhichOneof("change"), "dataset_created")
    assert entries[0].commit_time.seconds > 0, "no commit_time"


def watched_dataset(client):
    """a watch of one dataset shows what was recorded in it, and resumes after a position"""

    def changes(after):
        stream = client.call("WatchChanges", after_position=after, dataset=client.dataset)
        for entry in stream:
            for change in entry.changes:
                yield entry.position, getattr(change, change.WhichOneof("change"))

    stream = changes(0)
    created_at, change = next(stream)
    equal(change.dataset.name, client.dataset)
    recorded_at, change = next(stream)
    stream.close()
    equal((change.dataset, change.ingest_id, change.sequence), (client.dataset, "first", 1))
    equal(sum(len(group.rows) for group in change.groups), 3)

    resumed_at, _ = next(changes(created_at))
    equal(resumed_at, recorded_at)


def watch_ahead(client):
    """a watch after a position that is not there yet is refused"""
    metadata = refused(
        lambda: next(client.call("WatchChanges", after_position=2**62)),
        grpc.StatusCode.OUT_OF_RANGE,
        "POSITION_AHEAD",
    )
    assert int(metadata["last"]) > 0, "no last position"


def bad_fields(client):
    """every bad field is named at once"""
    refused(
        lambda: client.series(
            reporter="China",
            partner="",
            flow="FLOW_UNSPECIFIED",
            code="87-03",
            frequency="FREQUENCY_UNSPECIFIED",
            window={"start": "2024-13"},
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["code", "flow", "frequency", "partner", "reporter", "window.start"],
    )


def not_found(client):
    """what does not exist is not found"""
    missing = f"datasets/{client.dataset_id}-missing"
    for call in [
        lambda: client.call("GetDataset", name=missing),
        lambda: client.series(parent=missing),
        lambda: client.call("ListObservations", parent=missing),
        lambda: client.call("GetIngest", name=f"{client.dataset}/ingests/missing"),
        lambda: client.call(
            "GetObservation", name=f"{client.dataset}/observations/KAZ.CHN.X.H6.TOTAL.1999"
        ),
    ]:
        refused(call, grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


def sector_lives(client):
    """a sector is created, changed, deleted, and found as of its time"""
    name = f"sectors/{client.dataset_id}"
    sector = {
        "display_name": {"texts": {"en": "Made up", "ru": "Вымышлено"}},
        "classification": "H6",
        "codes": ["8703", "870410"],
    }
    first = client.call("CreateSector", sector_id=client.dataset_id, sector=sector)
    equal((first.name, list(first.codes)), (name, sector["codes"]))
    assert first.etag, "no etag"

    changed = {"name": name, "codes": ["8703"], "etag": first.etag}
    second = client.call(
        "UpdateSector", sector=changed, update_mask={"paths": ["codes"]}
    )
    equal(list(second.codes), ["8703"])
    equal(second.display_name, first.display_name)
    assert second.etag != first.etag, "the etag is as it was"

    for call in [
        lambda: client.call("UpdateSector", sector=changed),
        lambda: client.call("DeleteSector", name=name, etag=first.etag),
    ]:
        refused(call, grpc.StatusCode.ABORTED, "ETAG_MISMATCH")

    client.call("DeleteSector", name=name, etag=second.etag)
    refused(
        lambda: client.call("GetSector", name=name),
        grpc.StatusCode.NOT_FOUND,
        "NOT_FOUND",
    )
    for version in [first, second]:
        equal(client.call("GetSector", name=name, as_of=version.update_time), version)


def sector_refused(client):
    """a sector whose codes overlap, or an update of an unknown field, is refused by field"""
    refused(
        lambda: client.call(
            "CreateSector",
            sector_id=f"{client.dataset_id}-b",
            sector={
                "display_name": {"texts": {"en": "Made up"}},
                "classification": "H6",
                "codes": ["87", "8703"],
            },
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["sector.codes[1]"],
    )
    refused(
        lambda: client.call(
            "UpdateSector",
            sector={"name": f"sectors/{client.dataset_id}"},
            update_mask={"paths": ["create_time"]},
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["update_mask"],
    )


def deadline(client):
    """a stream that has no end is ended by its deadline"""
    try:
        list(client.call("WatchChanges", timeout=0.5, dataset=client.dataset))
    except grpc.RpcError as error:
        equal(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    else:
        raise AssertionError("the stream ended by itself")


STORIES = [
    serving,
    created,
    created_once,
    request_id_reused,
    name_taken,
    ingested,
    ingested_once,
    ingest_gap,
    observed,
    listed,
    foreign_page_token,
    negative_page_size,
    series,
    empty_series,
    watched,
    watched_dataset,
    watch_ahead,
    bad_fields,
    not_found,
    sector_lives,
    sector_refused,
    deadline,
]
