"""Two servers of one platform cannot share a port."""

from __future__ import annotations

import pytest

from lambda_embedded.listeners import PortTakenError, bind, port_of

OPTIONS = {"gateway": "--port", "Broker": "--broker-port"}


def test_a_port_that_is_asked_for_twice_is_refused_with_both_servers_and_the_option():
    with pytest.raises(PortTakenError, match=r"8080.* the gateway and the Broker.* --port"):
        bind({"gateway": 8080, "Broker": 8080}, {}, OPTIONS)


def test_any_number_of_servers_may_ask_for_a_free_port():
    sockets = bind({"gateway": 0, "Broker": 0}, {}, OPTIONS)
    ports = {port_of(each) for each in sockets.values()}
    for each in sockets.values():
        each.close()
    assert len(ports) == 2
