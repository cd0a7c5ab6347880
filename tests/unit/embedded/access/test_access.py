from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from lambda_embedded.access.access import Access

ACCESS = Access(
    token="t" * 40,
    hosts=frozenset({"tunnel.example"}),
    origins=frozenset({"http://localhost:3000"}),
)


def request(path="/", method="POST", **headers):
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return make_mocked_request(method, path, {"Host": "127.0.0.1:8081", **named})


def reason(asked):
    denial = ACCESS.denial(asked)
    return denial and denial.reason


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:1", "[::1]:8081", "tunnel.example"])
def test_own_and_allowed_names_come_in(host):
    assert reason(request(Host=host)) is None


@pytest.mark.parametrize("host", ["evil.example:8081", "a.tunnel.example", "", "127.0.0.1 evil"])
def test_other_names_do_not_even_with_the_token(host):
    assert reason(request(Host=host, Authorization=f"Bearer {ACCESS.token}")) == "HostNotAllowed"


def test_a_name_in_the_request_line_counts_as_well():
    assert reason(request("http://evil.example/x")) == "HostNotAllowed"
    assert reason(request("http://127.0.0.1/x", Host="evil.example")) == "HostNotAllowed"


def test_a_page_whose_name_was_bound_to_this_machine_stays_outside():
    evil = {"Host": "evil.example:8081", "Origin": "http://evil.example:8081"}
    assert reason(request(**evil)) == "HostNotAllowed"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:3000"])
def test_foreign_pages_stay_outside(origin):
    assert reason(request(Origin=origin)) == "OriginNotAllowed"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8081", "http://localhost:3000"])
def test_own_and_allowed_pages_come_in(origin):
    assert reason(request(Origin=origin)) is None


def test_a_denial_shows_little_of_what_was_sent_and_no_control_characters():
    message = ACCESS.denial(request(Host="\x1b[2J" + "x" * 9999)).message
    assert len(message) < 400
    assert "\x1b" not in message


@pytest.mark.parametrize("credential", [f"Bearer {'t' * 40}", f"bearer  {'t' * 40} "])
def test_the_token_is_known(credential):
    assert ACCESS.holds_token(request(Authorization=credential))


@pytest.mark.parametrize(
    "credential", ["", "Bearer", "Bearer ", f"Basic {'t' * 40}", f"Bearer {'t' * 39}", "Bearer ü"]
)
def test_anything_else_is_no_token(credential):
    assert not ACCESS.holds_token(request(Authorization=credential))


def test_the_token_is_not_in_what_is_printed_of_the_rules():
    assert ACCESS.token not in repr(ACCESS)
