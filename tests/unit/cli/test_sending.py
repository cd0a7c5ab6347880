"""An event is sent in the background, while the deployment is watched."""

from __future__ import annotations

import threading

import pytest

from kn_lambda.deploying.sending import Sending
from kn_lambda.errors import CommandError


def reject() -> None:
    raise CommandError("the Broker rejected the event")


def test_a_rejection_of_the_broker_is_raised_in_the_thread_that_waits():
    sending = Sending(reject)
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
