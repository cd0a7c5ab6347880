import pytest

from knative_lambda.domain.source_hosts import SourceHosts


def test_no_host_is_allowed_unless_it_is_listed():
    assert ("git.example.com", 443) not in SourceHosts([])
    assert ("git.example.com", 443) not in SourceHosts(["example.com", "git.example.com:8443"])


def test_a_host_is_allowed_at_its_port_whatever_its_case():
    hosts = SourceHosts(["Git.example.com", "git.internal:8443=10.0.0.0/8"])
    assert ("git.EXAMPLE.com", 443) in hosts
    assert ("git.internal", 8443) in hosts
    assert ("git.internal", 443) not in hosts


@pytest.mark.parametrize("address", ["140.82.121.4", "2606:50c0:8000::154", "::ffff:140.82.121.4"])
def test_a_host_may_be_at_a_public_address(address):
    assert SourceHosts(["a.example"]).may_be_at("a.example", 443, address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "fec0::1",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fd00::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:a00:1::",
        "2001:0:a00:1::",
        "2001:db8::1",
    ],
)
def test_a_host_may_be_at_no_other_address(address):
    assert not SourceHosts(["a.example"]).may_be_at("a.example", 443, address)


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [("10.1.2.3", True), ("fd00::1", True), ("11.0.0.1", False), ("140.82.121.4", False),
     ("::ffff:10.1.2.3", True)],
)  # fmt: skip
def test_an_internal_host_may_be_in_its_networks_alone(address, is_inside):
    hosts = SourceHosts(["git.internal=10.0.0.0/8,fd00::/8"])
    assert hosts.may_be_at("git.internal", 443, address) is is_inside


@pytest.mark.parametrize(
    "entry",
    ["", "https://git.example.com", "git.example.com/path", "*.example.com", "a=10.0.0.1/8",
     "a=10.0.0.0", "a=", "a=b", "a:x", "a b", "[::1]"],
)  # fmt: skip
def test_an_entry_that_is_no_host_is_named(entry):
    with pytest.raises(ValueError, match=r"is no host such as git\.example\.com"):
        SourceHosts([entry])
