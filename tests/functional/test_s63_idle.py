"""63: a thousand idle connections from one address, and from many."""

import resource
import selectors

import p2praw
import pytest
import stockws

PER_IP, PER_NETWORK, ALL = 8, 64, 1000


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("needs 3000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def inside(crowd, wanted, seconds=60):
    """Reads them all until so many have heard a handshake, and the others are cut off;
    gives those."""
    waiting = selectors.DefaultSelector()
    for peer in crowd:
        peer.socket.setblocking(False)
        waiting.register(peer.socket, selectors.EVENT_READ, peer)
    heard, left = set(), set()
    while len(heard) < wanted or len(heard) + len(left) < len(crowd):
        ready = waiting.select(seconds)
        assert ready, f"{len(heard)} are in, {len(left)} out of {len(crowd)}"
        for key, _ in ready:
            peer = key.data
            try:
                more = peer.socket.recv(65536)
            except ConnectionError:
                more = b""
            peer.got += more
            if not more:
                waiting.unregister(peer.socket)
                left.add(peer)
            elif b'"type":"handshake"' in peer.got:
                heard.add(peer)
    waiting.close()
    return heard - left


def come(made, sources, joins=True):
    crowd = []
    for source in sources:
        peer = p2praw.RawPeer(made.p2p, source)
        crowd.append(peer.join() if joins else peer)
    return crowd


def leave(crowd):
    for peer in crowd:
        peer.socket.close()


@pytest.mark.parametrize("joins", [True, False])
def test_63_a_thousand_from_one_address_are_eight(node, many_files, joins):
    made = node([], p2praw.server())
    with p2praw.Bounded(made, 16 << 20):
        crowd = come(made, ["127.8.0.1"] * 1000, joins)
        if joins:
            assert len(inside(crowd, PER_IP)) == PER_IP
        p2praw.is_served(made, "127.9.0.1")
        for late in come(made, ["127.8.0.1"] * 3):
            assert late.ends() is None
    leave(crowd)
    p2praw.is_served(made)


def test_63_a_thousand_from_everywhere_leave_room_for_another_network(node, many_files,
                                                                      chain):
    made = node([], p2praw.server())
    with p2praw.Bounded(made, 64 << 20):
        sources = [f"127.{64 + network}.{host // PER_IP}.1"
                   for host in range(PER_NETWORK + 8) for network in range(16)]
        crowd = come(made, sources)
        stay = inside(crowd, ALL)
        assert len(stay) == ALL
        p2praw.is_served(made, "127.9.0.1")  # one of the crowd goes for it
        honest = stockws.StockWs(chain, "127.6.0.1")
        try:
            connection = honest.dial(f"ws://{made.p2p}", "127.6.0.1")
            honest.wait_for(lambda _: connection.shaken, "its handshake")
            assert honest.ask(connection, {"type": "get_peers"}, "peers") == []
        finally:
            honest.stop()
    leave(crowd)
    p2praw.is_served(made)
