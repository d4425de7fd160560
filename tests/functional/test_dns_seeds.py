"""DNS seeds: names whose addresses are P2P peers on port 8333, on hosts of their own."""

import dnsserver
import netns
import pytest
import stockws
from node import Node, wait_until

WHY_NOT = netns.missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

STOCKS = ("10.1.0.1", "10.2.0.1", "10.3.0.1")
CAIRN = "10.4.0.1"


@pytest.fixture
def network():
    with netns.Network() as made:
        yield made


@pytest.fixture
def stocks(network, chain):
    made = []
    for address in STOCKS:
        with network.inside(network.host(address)):
            made.append(stockws.StockWs(chain, address, 8333))
    yield made
    for peer in made:
        peer.stop()


@pytest.fixture
def dns(network):
    with network.inside(network.host("10.53.0.1")):
        made = dnsserver.DnsServer("10.53.0.1", {"seed.example.org": [*STOCKS, CAIRN]})
    yield made
    made.stop()


@pytest.fixture
def seeded(request, network, dns, tmp_path):
    """seeded(config) starts a node that asks that server; to be called inside a host."""
    request.node.nodes = []

    def start(config):
        made = Node(tmp_path / f"seeded{len(request.node.nodes)}", (), config)
        made.under = dnsserver.asking(dns, tmp_path)
        request.node.nodes.append(made)
        return made.start()

    yield start
    for made in request.node.nodes:
        made.close()


def p2p(*seeds, allow="10.0.0.0/8", **more):
    return {"p2p": {"enabled": True, "dns_seeds": list(seeds), **more},
            "checkpoint": {"request_rate_seconds": 1},
            "transfer": {"allow_networks": [allow], "min_speed": 0}}


def known(made):
    return {p["address"]: p for p in made.rpc("peers.list")["peers"]}


def test_a_name_is_enough_to_find_peers_and_a_checkpoint(
        network, stocks, dns, seeded, chain, payload):
    """Nothing is configured but two names, of which one does not exist, and a signer."""
    with network.inside(network.host(CAIRN)):
        publisher = seeded(p2p("seed.example.org", listen=CAIRN + ":8333"))
        wait_until(lambda: sum(p["connected"] for p in known(publisher).values()) >= 3,
                   "three stock nodes")
        job = publisher.sync(payload=payload)
        assert job["state"] == "succeeded", job["error"]
    with network.inside(network.host("10.9.0.1")):
        made = seeded(p2p("nowhere.example.org", "seed.example.org"))
        made.wait_tip(240, chain[240]["hash"])
        assert made.status()["checkpoint"]["height"] == 200
        urls = {f"ws://{host}:8333" for host in (*STOCKS, CAIRN)}
        wait_until(lambda: set(known(made)) == urls, "all four in use")
        assert "nowhere.example.org" in made.log()
    assert dns.asked["nowhere.example.org"] >= 1


def test_an_address_of_a_local_network_is_not_dialled(network, stocks, seeded):
    """Whoever answers for the name must not make a node call its neighbours."""
    with network.inside(network.host("10.9.0.1")):
        made = seeded(p2p("seed.example.org", allow="10.2.0.0/16"))
        url = f"ws://{STOCKS[1]}:8333"
        wait_until(lambda: known(made).get(url, {}).get("connected"), "the one allowed")
        assert set(known(made)) == {url} and known(made)[url]["origin"] == "seed"
    assert stocks[0].connections == stocks[2].connections == []
