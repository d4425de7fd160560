"""Scenario 25, by DNS: a peer offers a checkpoint at a public-looking name that leads to a
host of the private network."""

import dnsserver
import netns
import pytest
import stockpeer
import stockws
from node import Node, wait_until

WHY_NOT = netns.missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

STOCKS, PRIVATE = ("10.1.0.1", "10.2.0.1", "10.3.0.1"), "10.66.0.1"


@pytest.fixture
def network():
    with netns.Network() as made:
        yield made


@pytest.fixture
def neighbour(network, chain, payload):
    """What must not be called: it would serve."""
    with network.inside(network.host(PRIVATE)):
        made = stockpeer.StockPeer(chain, PRIVATE)
    made.serve("/cp.json", payload)
    yield made
    made.stop()


@pytest.fixture
def stocks(network, chain, neighbour):
    made = []
    for address in STOCKS:
        with network.inside(network.host(address)):
            made.append(stockws.StockWs(chain, address))
    url = f"http://files.example.org:{neighbour.port}/cp.json"
    made[0].checkpoint = made[0].checkpoint_of(200, url=url)
    yield made
    for peer in made:
        peer.stop()


@pytest.fixture
def dns(network):
    with network.inside(network.host("10.53.0.1")):
        made = dnsserver.DnsServer("10.53.0.1", {"files.example.org": [PRIVATE]})
    yield made
    made.stop()


@pytest.mark.parametrize("allowed", [False, True])
def test_25_a_name_that_leads_to_the_private_network(
        network, stocks, neighbour, dns, tmp_path, allowed):
    """The address connected to is what counts; only the operator can allow its network."""
    made = Node(tmp_path / "node", stocks, {
        "p2p": {"enabled": True},
        "checkpoint": {"bootstrap_at_start": False, "request_rate_seconds": 1},
        "transfer": {"allow_networks": ["10.66.0.0/16"] if allowed else []}})
    made.under = dnsserver.asking(dns, tmp_path)
    with network.inside(network.host("10.9.0.1")):
        try:
            made.start()
            wait_until(lambda: made.rpc("checkpoint.candidates")["peers"] == 3, "three peers")
            job = made.sync()
            if allowed:
                assert job["state"] == "succeeded", job["error"]
            else:
                assert job["error"]["reason"] == "source_forbidden", job["error"]
                assert not neighbour.log
            assert dns.asked["files.example.org"] >= 1
        finally:
            made.close()
