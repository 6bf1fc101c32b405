"""The feed and the calendar, by the parsers that readers use."""

import datetime

import feedparser
import icalendar

from asking import check, document, get


@check("Atom is read by feedparser: each edition, with an id of its own and a link that answers")
def feed():
    body, headers = get("/v1/feed.atom")
    read = feedparser.parse(body, response_headers={"content-type": headers["content-type"]})
    assert not read.bozo, read.bozo_exception
    assert read.version == "atom10", read.version
    editions = document("/v1/editions")["editions"]
    assert [entry.published for entry in read.entries] == [edition["published_at"] for edition in reversed(editions)]
    ids = [entry.id for entry in read.entries]
    assert len(set(ids)) == len(ids) and all(id.startswith("urn:amanat:edition:") for id in ids), ids
    for entry in read.entries:
        for link in entry.links:
            get(link.href)


@check("iCalendar is read by icalendar: each edition and each planned release, on its day")
def calendar():
    body, _ = get("/v1/calendar", "text/calendar")
    read = icalendar.Calendar.from_ical(body)
    events = read.walk("VEVENT")
    assert not [error for event in events for error in event.errors]
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    told = document("/v1/calendar")
    days = [edition["published_at"][:10] for edition in told["editions"]] + [release["date"] for release in told["releases"]]
    assert [event["DTSTART"].dt for event in events] == [datetime.date.fromisoformat(day) for day in days]
    planned = {str(event["SUMMARY"]): str(event["DESCRIPTION"]) for event in events[len(told["editions"]):]}
    for release in told["releases"]:
        assert release["title"]["ur"] in planned[release["title"]["en"]], planned
    assert len(told["releases"]) == 2, told["releases"]
