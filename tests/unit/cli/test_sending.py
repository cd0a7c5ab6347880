"""An event is sent while somebody watches what becomes of it."""

from __future__ import annotations

import threading

import pytest

from kn_lambda.deploying.sending import Sending
from kn_lambda.errors import CommandError


def refuse() -> None:
    raise CommandError("the Broker rejected the event")


def test_what_the_broker_refused_is_raised_where_somebody_waits():
    sending = Sending(refuse)
    with pytest.raises(CommandError, match="rejected"):
        sending.wait()
    with pytest.raises(CommandError, match="rejected"):
        sending.check()


def test_a_broker_that_takes_its_time_holds_up_nobody():
    answered = threading.Event()
    sending = Sending(answered.wait)
    sending.wait(0.01)
    sending.check()
    answered.set()
    sending.wait()
