from pathlib import Path

from cloudevents.http import from_json

from main import handler

EVENT = Path(__file__).with_name("event.json")


def test_it_writes_the_report_that_the_schedule_names(capsys):
    assert handler(from_json(EVENT.read_bytes())) is None
    assert capsys.readouterr().out == "Writing the daily report of 2026-01-15T06:00:00Z\n"
