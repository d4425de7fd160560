"""Scenario 3: a majority of one /16 against a diverse minority, on hosts of their own."""

import netns
import pytest
import stockpeer

WHY_NOT = netns.missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

HONEST = ("10.1.0.1", "10.2.0.1", "10.3.0.1")
ATTACKER = [f"10.66.0.{i}" for i in range(1, 21)]


@pytest.fixture
def network():
    with netns.Network() as made:
        yield made


def peers_on(network, host, addresses, chain):
    with network.inside(host):
        return [stockpeer.StockPeer(chain, address) for address in addresses]


@pytest.fixture
def eclipse(network, chain):
    """Three honest peers in three networks, and an attacker with twenty addresses of one,
    on a fork of its own from height 190, with less work."""
    fork = chain.fork(190)
    fork.mine_many(30)
    started = []
    for address in HONEST:
        started += peers_on(network, network.host(address), [address], chain)
    started += peers_on(network, network.host(*ATTACKER), ATTACKER, fork)
    yield started
    for peer in started:
        peer.stop()


def test_03_a_flood_of_one_network_convinces_nobody(network, eclipse, node, chain, payload):
    home = network.host("10.9.0.1")
    with network.inside(home):
        started = node(eclipse)
        job = started.sync(payload=payload)
        assert job["state"] == "succeeded", job["error"]
        started.wait_tip(240, chain[240]["hash"])
