"""The whole life of an event, an agreement and a programme: `python tests/clients/records_client.py ADDR`.

The same stories are told of each kind of record on a running `entente demo`, with generated classes. Every run
makes records of its own, so the stories may be run again on the same data.
"""

import importlib
import sys
import tempfile
import uuid

import grpc
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

import checks
import stubs_client
from channel import connect
from checks import equal, refused

SOURCE = {
    "title": "Made up, for a check",
    "publisher": "tests/clients",
    "read_on": {"year": 2024, "month": 7, "day": 2},
}


class Kind:
    """A kind of record: what its calls are named, and a record that nothing is wrong with."""

    def __init__(self, stub, package, name, record, dates):
        self._stub, self._package = stub, package
        self.name, self.record, self.dates = name, record, dates
        self.title = name.capitalize()
        self.run = f"check-{uuid.uuid4().hex[:12]}"
        self.request_id = str(uuid.uuid4())
        # Of this run alone, so that nothing an earlier one has left looks like it.
        self.record["title"] = {"texts": {"en": f"Made up by {self.run}", "zh": "虚构", "kk": "Ойдан"}}

    def call(self, method, **fields):
        message = Default().FindMessageTypeByName(f"{self._package}.{method}Request")
        return getattr(self._stub, method)(GetMessageClass(message)(**fields), timeout=checks.PATIENCE)

    def id(self, name):
        return f"{self.run}-{name}"

    def full(self, name):
        return f"{self.name}s/{self.id(name)}"

    def create(self, name, changed=None, **fields):
        record = {**self.record, **(changed or {})}
        fields = {f"{self.name}_id": self.id(name), self.name: record, **fields}
        return self.call(f"Create{self.title}", **fields)

    def get(self, name, **fields):
        return self.call(f"Get{self.title}", name=self.full(name), **fields)

    def update(self, paths=None, request_id="", **record):
        fields = {self.name: record, "request_id": request_id}
        if paths is not None:
            fields["update_mask"] = {"paths": paths}
        return self.call(f"Update{self.title}", **fields)

    def delete(self, name, etag=""):
        return self.call(f"Delete{self.title}", name=self.full(name), etag=etag)

    def list(self, **fields):
        """Names of this run's records that a filter finds, over pages of one."""
        names, token = [], ""
        while True:
            page = self.call(
                f"List{self.title}s", filter=fields, page_size=100, page_token=token
            )
            names += [one.name for one in getattr(page, f"{self.name}s") if self.run in one.name]
            token = page.next_page_token
            if not token:
                return names


def created(kind):
    """it is created and found as it was said"""
    made = kind.create("one", request_id=kind.request_id, allow_duplicate=True)
    equal(made.name, kind.full("one"))
    assert made.etag and made.HasField("create_time"), made
    equal(made.title.texts["kk"], "Ойдан")
    equal(kind.get("one"), made)


def repeated(kind):
    """the same request again does nothing, and another one with its id is refused"""
    equal(kind.create("one", request_id=kind.request_id, allow_duplicate=True), kind.get("one"))
    refused(
        lambda: kind.create("other", request_id=kind.request_id, allow_duplicate=True),
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    refused(
        lambda: kind.create("other", request_id="not a UUID"),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["request_id"],
    )


def taken(kind):
    """an id is taken once, and what looks like a record that is there needs a word"""
    refused(
        lambda: kind.create("one", allow_duplicate=True),
        grpc.StatusCode.ALREADY_EXISTS,
        "ALREADY_EXISTS",
    )
    found = refused(
        lambda: kind.create("twin"), grpc.StatusCode.ALREADY_EXISTS, "LOOKS_LIKE_DUPLICATE"
    )
    assert found["name"].startswith(f"{kind.name}s/"), found


def wrong(kind):
    """everything that is wrong is named at once, by field"""
    bad = {"title": {"texts": {"en": "Turned \u202e around"}}, "sources": []}
    refused(
        lambda: kind.create("Wrong", changed={**bad, "kind": 0}),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        [
            f"{kind.name}_id",
            f"{kind.name}.kind",
            f"{kind.name}.title.texts[en]",
            f"{kind.name}.sources",
            *kind.dates["without_sources"],
        ],
    )
    refused(
        lambda: kind.create("wrong", changed=kind.dates["no_day"]),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        [kind.dates["field"]],
    )


def changed(kind):
    """a mask names what changes, an etag says from what, and a mask of nothing known is refused"""
    before = kind.get("one")
    after = kind.update(
        ["title"], name=before.name, etag=before.etag, title={"texts": {"en": "Renamed"}}
    )
    equal(dict(after.title.texts), {"en": "Renamed"})
    equal(list(after.sources), list(before.sources))
    assert after.etag != before.etag, "the etag stayed"
    refused(
        lambda: kind.update(
            ["title"], name=before.name, etag=before.etag, title={"texts": {"en": "Late"}}
        ),
        grpc.StatusCode.ABORTED,
        "ETAG_MISMATCH",
    )
    refused(
        lambda: kind.update(["colour", "etag"], name=before.name),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["update_mask", "update_mask"],
    )
    refused(
        lambda: kind.update(["title"], name=before.name),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        [f"{kind.name}.title"],
    )
    request_id = str(uuid.uuid4())
    once = kind.update(["title"], request_id, name=before.name, title=before.title)
    equal(kind.update(["title"], request_id, name=before.name, title=before.title), once)
    equal(kind.get("one", as_of=before.update_time), before)


def listed(kind):
    """lists find it by its pair in either order, and by its dates"""
    for country, partner in [("ISL", "TON"), ("TON", "ISL"), ("TON", "")]:
        equal(kind.list(country=country, partner=partner), [kind.full("one")])
    equal(kind.list(country="ISL", partner="FJI"), [])
    around = {"start": {"year": 2023, "month": 11}, "end": {"year": 2024}}
    equal(kind.list(country="ISL", window=around), [kind.full("one")])
    before = {"end": {"year": 2023, "month": 11, "day": 10}}
    equal(kind.list(country="ISL", window=before), [])


def deleted(kind):
    """it is deleted with its etag, stays found as of before, and its versions tell its life"""
    last = kind.get("one")
    refused(
        lambda: kind.delete("one", "another"), grpc.StatusCode.ABORTED, "ETAG_MISMATCH"
    )
    kind.delete("one", last.etag)
    refused(lambda: kind.get("one"), grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    equal(kind.get("one", as_of=last.update_time), last)
    versions = kind.call(f"List{kind.title}Versions", name=kind.full("one")).versions
    equal([one.change for one in versions], [3, 2, 2, 1])
    equal([list(one.changed_fields) for one in versions[1:3]], [["title"], ["title"]])
    assert not versions[0].HasField(kind.name), "a deleted record was told"


STORIES = [created, repeated, taken, wrong, listed, changed, deleted]


def kinds(events, culture):
    pair = [{"country": "ISL"}, {"country": "TON"}]
    day = {"year": 2023, "month": 11, "day": 10}
    no_day = {"year": 2023, "month": 2, "day": 29}
    yield Kind(
        events,
        "entente.events.v1",
        "event",
        {
            "kind": "EVENT_KIND_CONSULTATION",
            "status": "EVENT_STATUS_CONCLUDED",
            "participants": [{**one, "role": "PARTICIPANT_ROLE_PARTY"} for one in pair],
            "start_date": day,
            "sources": [SOURCE],
        },
        {"no_day": {"start_date": no_day}, "field": "event.start_date.day", "without_sources": []},
    )
    step = {"kind": "STEP_KIND_SIGNED", "date": day, "source": 1}
    yield Kind(
        events,
        "entente.events.v1",
        "agreement",
        {"kind": "AGREEMENT_KIND_TREATY", "parties": pair, "steps": [step], "sources": [SOURCE]},
        {
            "no_day": {"steps": [{**step, "date": no_day}]},
            "field": "agreement.steps[0].date.day",
            "without_sources": ["agreement.steps[0].source"],
        },
    )
    yield Kind(
        culture,
        "entente.culture.v1",
        "programme",
        {
            "kind": "PROGRAMME_KIND_FESTIVAL",
            "countries": [{**one, "role": "PROGRAMME_ROLE_MUTUAL"} for one in pair],
            "start_date": day,
            "end_date": day,
            "sources": [SOURCE],
        },
        {
            "no_day": {"start_date": no_day},
            "field": "programme.start_date.day",
            "without_sources": [],
        },
    )


def main(address):
    failed = 0
    with tempfile.TemporaryDirectory() as folder, connect(address) as channel:
        stubs_client.generate(folder)
        sys.path.insert(0, folder)
        events = importlib.import_module("entente.events.v1.events_service_pb2_grpc")
        culture = importlib.import_module("entente.culture.v1.culture_service_pb2_grpc")
        stubs = [events.EventsServiceStub(channel), culture.CultureServiceStub(channel)]
        for kind in kinds(*stubs):
            print(f"{kind.name}:")
            failed |= checks.run(kind, STORIES)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: records_client.py ADDR")
    sys.exit(main(sys.argv[1]))
