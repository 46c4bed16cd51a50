"""What a calendar program must find in an exported calendar: `python tests/clients/calendar_check.py ADDR`.

Events are created on a running `entente demo`, exported, and read with the library `icalendar`, which knows
nothing of Entente; then a calendar is imported. Every run makes events of its own, told from others by an
organisation that takes part in them, so the stories may be run again on the same data.
"""

import importlib
import sys
import tempfile
import uuid
from datetime import date

import grpc
import icalendar
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

import checks
import stubs_client
from channel import connect
from checks import equal, refused

PACKAGE = "entente.events.v1"
CONTENT_TYPE = "text/calendar; charset=utf-8"
MAX_OCTETS = 75

TITLES = {
    "en": "Ministers of trade, transport; and others: a made-up title, long enough to be folded\\twice",
    "de": "Gespräche über Öl, Äpfel; und Übergänge – größer als früher",
    "zh-Hans": "两国部长，在阿斯塔纳举行会晤；讨论贸易、运输和人文合作，" * 3,
}
SUMMARIES = {
    "en": "First line, with a comma; and a semicolon.\nSecond line: a back\\slash.\n\nAnother paragraph.",
    "zh-Hans": "第一行，\n第二行；",
}


class Calendar:
    """Calls by method name with plain fields; also knows what this run creates."""

    def __init__(self, events):
        self._events = events
        self.run = f"check-{uuid.uuid4().hex[:12]}"

    def message(self, name):
        return GetMessageClass(Default().FindMessageTypeByName(f"{PACKAGE}.{name}"))

    def call(self, method, **fields):
        request = self.message(f"{method}Request")(**fields)
        return getattr(self._events, method)(request, timeout=checks.PATIENCE)

    def id(self, name):
        return f"{self.run}-{name}"

    def participants(self):
        return [
            {"country": "CHN", "role": "PARTICIPANT_ROLE_GUEST"},
            {
                "country": "KAZ",
                "role": "PARTICIPANT_ROLE_HOST",
                "level": "OFFICE_LEVEL_MINISTER",
                "organisation": {"display_name": {"texts": {"en": self.run}}},
                "person": {"texts": {"en": "Made Up, Jr.", "zh-Hans": "虚构"}},
                "office": {"texts": {"en": "Minister; of \"trade\""}},
            },
        ]

    def create(self, name, **changed):
        event = {
            "kind": "EVENT_KIND_MINISTERIAL",
            "status": "EVENT_STATUS_CONFIRMED",
            "participants": self.participants(),
            "start_date": {"year": 2024, "month": 7, "day": 2},
            "title": {"texts": {"en": f"Made up: {name}"}},
            "sources": [SOURCE],
        }
        event.update(changed)
        # Whatever an earlier run has left looks like it.
        return self.call(
            "CreateEvent", event_id=self.id(name), event=event, allow_duplicate=True
        )

    def export(self, **changed):
        """The bytes of a calendar of this run's events."""
        fields = {"filter": {"participant": self.run}, "calendar_name": "Checks, made up"}
        fields.update(changed)
        parts = list(self.call("ExportCalendar", **fields))
        assert len(parts) >= 2, "a calendar came in one part"
        for part in parts:
            equal(part.content_type, CONTENT_TYPE)
        return b"".join(part.data for part in parts)

    def exported(self, name, **changed):
        """An exported event of this run, as `icalendar` reads it."""
        calendar = icalendar.Calendar.from_ical(self.export(**changed))
        events = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
        return events[f"{self.id(name)}@entente"]

    def imported(self, *lines, **changed):
        """Imports a calendar of these lines with defaults for what it does not say."""
        fields = {
            "content": "".join(f"{line}\r\n" for line in lines).encode(),
            "defaults": {
                "kind": "EVENT_KIND_CONSULTATION",
                "status": "EVENT_STATUS_PLANNED",
                "participants": self.participants(),
                "sources": [SOURCE],
            },
            "allow_duplicate": True,
        }
        fields.update(changed)
        return self.call("ImportCalendar", **fields)


SOURCE = {
    "title": "Made up, for a check",
    "publisher": "tests/clients",
    "uri": "https://example.org/calendar,check;a?b=c",
    "read_on": {"year": 2024, "month": 7, "day": 2},
}


def texts(event, name):
    """The texts of a property by language."""
    lines = event.get(name, [])
    lines = lines if isinstance(lines, list) else [lines]
    # A property that the library does not know is not unescaped by it.
    return {line.params["LANGUAGE"]: unescaped(str(line)) for line in lines}


def unescaped(text):
    plain, characters = [], iter(text)
    for one in characters:
        if one == "\\":
            one = next(characters, "\\")
            one = "\n" if one in "nN" else one
        plain.append(one)
    return "".join(plain)


def days(event):
    for name in ["DTSTART", "DTEND"]:
        equal(event[name].params["VALUE"], "DATE")
    return (event["DTSTART"].dt, event["DTEND"].dt)


def created(calendar):
    """events of every sort are created"""
    calendar.create(
        "texts",
        themes=["THEME_TRADE_AND_COOPERATION"],
        title={"texts": TITLES},
        summary={"texts": SUMMARIES},
        place={"country": "KAZ", "name": {"texts": {"en": "Astana, the palace"}}},
    )
    calendar.create("cancelled", status="EVENT_STATUS_CANCELLED")
    calendar.create("planned", status="EVENT_STATUS_PLANNED")
    calendar.create("postponed", status="EVENT_STATUS_POSTPONED")
    calendar.create("concluded", status="EVENT_STATUS_CONCLUDED")
    calendar.create("month", start_date={"year": 2024, "month": 2})
    calendar.create("year", start_date={"year": 2025})
    calendar.create("days", end_date={"year": 2024, "month": 7, "day": 4})


def lines(calendar):
    """lines end with CRLF, have at most 75 octets, and no fold cuts a character"""
    content = calendar.export()
    rows = content.split(b"\r\n")
    equal(rows[-1], b"")
    assert len(rows) > 100, "there are too few lines"
    for row in rows:
        assert len(row) <= MAX_OCTETS, f"{len(row)} octets: {row!r}"
        assert b"\n" not in row and b"\r" not in row, f"an end inside of {row!r}"
        row.decode()
    assert any(row.startswith(b" ") for row in rows), "nothing was folded"


def head(calendar):
    """the calendar says what it is"""
    read = icalendar.Calendar.from_ical(calendar.export())
    equal(str(read["VERSION"]), "2.0")
    equal(str(read["METHOD"]), "PUBLISH")
    equal(str(read["CALSCALE"]), "GREGORIAN")
    assert "Entente" in read["PRODID"], read["PRODID"]
    for name in ["NAME", "X-WR-CALNAME"]:
        equal(unescaped(str(read[name])), "Checks, made up")
    equal(len(read.walk("VEVENT")), 8)
    for event in read.walk("VEVENT"):
        for name in ["UID", "DTSTAMP", "CREATED", "LAST-MODIFIED"]:
            assert name in event, f"{name} is missing"
        assert event["DTSTAMP"].dt.utcoffset().total_seconds() == 0, "DTSTAMP is not in UTC"
        equal(str(event["TRANSP"]), "TRANSPARENT")
        equal(event["SEQUENCE"], 0)
        assert "ATTENDEE" not in event, "people are not mail addresses"


def text(calendar):
    """texts come as they are, in the language that is asked for, and the others beside it"""
    for language, tag in [("en", "en"), ("zh-Hans-CN", "zh-Hans"), ("ru", "en")]:
        event = calendar.exported("texts", language_code=language)
        equal(str(event["SUMMARY"]), TITLES[tag])
        equal(event["SUMMARY"].params["LANGUAGE"], tag)
        others = {other: title for other, title in TITLES.items() if other != tag}
        equal(texts(event, "X-ENTENTE-TITLE"), others)
        equal(texts(event, "X-ENTENTE-SUMMARY"), SUMMARIES)
        description = str(event["DESCRIPTION"])
        assert description.startswith(SUMMARIES[tag] + "\n\n"), description
        for part in ["KAZ", calendar.run, SOURCE["title"], SOURCE["publisher"], SOURCE["uri"]]:
            assert part in description, f"{part} is not in {description}"

    event = calendar.exported("texts")
    equal(str(event["LOCATION"]), "Astana, the palace, KAZ")
    equal([str(one) for one in event["CATEGORIES"].cats], ["Ministerial", "Trade and cooperation"])
    equal(str(event["URL"]), SOURCE["uri"])
    equal(str(event["X-ENTENTE-KIND"]), "MINISTERIAL")


def statuses(calendar):
    """a status is one of the three that calendars know"""
    for name, status in [
        ("cancelled", "CANCELLED"),
        ("planned", "TENTATIVE"),
        ("postponed", "TENTATIVE"),
        ("concluded", "CONFIRMED"),
        ("texts", "CONFIRMED"),
    ]:
        equal(str(calendar.exported(name)["STATUS"]), status)


def dates(calendar):
    """days are whole, the end is outside, and what is not known precisely lasts as long as it may"""
    equal(days(calendar.exported("texts")), (date(2024, 7, 2), date(2024, 7, 3)))
    equal(days(calendar.exported("days")), (date(2024, 7, 2), date(2024, 7, 5)))
    month = calendar.exported("month")
    equal(days(month), (date(2024, 2, 1), date(2024, 3, 1)))
    equal(str(month["X-ENTENTE-DATE-PRECISION"]), "MONTH")
    year = calendar.exported("year")
    equal(days(year), (date(2025, 1, 1), date(2026, 1, 1)))
    equal(str(year["X-ENTENTE-DATE-PRECISION"]), "YEAR")


def changed(calendar):
    """a change keeps the UID and raises the sequence, and an earlier instant does not know it"""
    before = calendar.call("GetEvent", name=f"events/{calendar.id('planned')}")
    calendar.call(
        "UpdateEvent",
        event={"name": before.name, "status": "EVENT_STATUS_CANCELLED"},
        update_mask={"paths": ["status"]},
    )
    event = calendar.exported("planned")
    equal((event["SEQUENCE"], str(event["STATUS"])), (1, "CANCELLED"))
    assert event["LAST-MODIFIED"].dt >= event["CREATED"].dt, "changed before it was created"
    then = calendar.exported("planned", as_of=before.update_time)
    equal((then["SEQUENCE"], str(then["STATUS"])), (0, "TENTATIVE"))


def left_alone(calendar):
    """an import of what was exported finds it there"""
    content = calendar.export().decode()
    answer = calendar.imported(*content.split("\r\n")[:-1])
    equal((len(answer.events), len(answer.refusals)), (0, 0))
    equal({note.property for note in answer.notes}, {"UID"})


BROKEN = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "BEGIN:VEVENT",
    "DTSTART:INVALID-DATE",
    "SUMMARY:No such",
    "  date",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "DTSTART:20240702",
    "SUMMARY:Turned \u202e around",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "DTSTART;VALUE=DATE:20240705",
    "DTEND;VALUE=DATE:20240704",
    "SUMMARY:Ends before it starts",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "DTSTART;TZID=Asia/Almaty:20240702T093000",
    "DTEND;TZID=Asia/Almaty:20240703T000000",
    "SUMMARY:Good\\, and",
    "  folded",
    "RRULE:FREQ=YEARLY",
    "END:VEVENT",
    "END:VEVENT",
    "END:VCALENDAR",
]


def broken(calendar):
    """what is wrong with a calendar is refused by its line, and nothing is created"""
    refused(
        lambda: calendar.imported(*BROKEN),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        [f"content[line {line}]" for line in (4, 10, 14, 24)],
    )


def mended(calendar):
    """the rest is created when that is asked for, once"""
    request = {"skip_refused": True, "request_id": str(uuid.uuid4())}
    uid = f"UID:{calendar.id('imported')}@entente"
    content = [*BROKEN[:17], uid, *BROKEN[17:]]
    looked = calendar.imported(*content, skip_refused=True, validate_only=True)
    answer = calendar.imported(*content, **request)
    equal(len(looked.events), 1)
    refusals = [(one.line, one.property) for one in answer.refusals]
    equal(refusals, [(4, "DTSTART"), (10, "SUMMARY"), (14, "DTEND"), (25, "VEVENT")])
    notes = {(one.line, one.property) for one in answer.notes}
    assert {(19, "DTSTART"), (23, "RRULE")} <= notes, notes

    [event] = answer.events
    equal(event.name, f"events/{calendar.id('imported')}")
    equal(dict(event.title.texts), {"en": "Good, and folded"})
    start = event.start_date
    equal((start.year, start.month, start.day), (2024, 7, 2))
    assert not event.HasField("end_date"), "an end at midnight is outside"
    equal(calendar.imported(*content, **request), answer)
    equal(calendar.call("GetEvent", name=event.name), event)


def defaults(calendar):
    """what a request gives for all events is refused by field"""
    refused(
        lambda: calendar.imported(
            *BROKEN,
            defaults={
                "name": "events/a",
                "participants": [{"country": "XX", "role": "PARTICIPANT_ROLE_PARTY"}],
            },
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ["defaults.name", "defaults.participants[0].country"],
    )


STORIES = [
    created,
    lines,
    head,
    text,
    statuses,
    dates,
    changed,
    left_alone,
    broken,
    mended,
    defaults,
]


def main(address):
    with tempfile.TemporaryDirectory() as folder, connect(address) as channel:
        stubs_client.generate(folder)
        sys.path.insert(0, folder)
        services = importlib.import_module(f"{PACKAGE}.events_service_pb2_grpc")
        return checks.run(Calendar(services.EventsServiceStub(channel)), STORIES)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: calendar_check.py ADDR")
    sys.exit(main(sys.argv[1]))
