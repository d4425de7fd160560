"""1: no peers; only one; all dead.  Of nodes that find their checkpoint over P2P."""

import socket

import expect
import p2praw
import stockws
from node import wait_until


def p2p(**checkpoint):
    return p2praw.server(bootstrap_at_start=True, request_rate_seconds=1, **checkpoint)


def waits_for(made, *words):
    wait_until(lambda: (said := made.status()["waiting_for"]) and
               all(word in said for word in words), " ".join(words))
    assert made.status()["state"] == "idle" and made.status()["tip"] is None


def no_candidate(made):
    job = made.sync()
    assert job["state"] == "failed" and job["error"]["reason"] == "no_candidate"


def test_01_no_peers(node):
    made = node([], p2p())
    waits_for(made, "nobody offers one", "0 of 3 peers", "0 of 2 networks")
    assert made.rpc("health.diagnose")["cause"] == "no_peers"
    no_candidate(made)
    assert made.rpc("checkpoint.candidates")["candidates"] == []


def test_01_only_one(node, chain):
    one = stockws.StockWs(chain, "127.20.0.1")
    try:
        one.checkpoint = one.checkpoint_of(200)
        made = node([one], p2p())
        waits_for(made, "1 on offer, none to take", "1 of 3 peers", "1 of 2 networks")
        no_candidate(made)
        assert expect.peer_of(made, one)["connected"]
    finally:
        one.stop()


def test_01_all_dead_and_then_alive(node, chain):
    held = [socket.socket() for _ in range(3)]
    for i, sock in enumerate(held):
        sock.bind((f"127.{20 + i}.0.1", 0))
    urls = [p2praw.At("ws://%s:%d" % sock.getsockname()) for sock in held]
    made = node(urls, p2p())
    waits_for(made, "nobody offers one", "0 of 3 peers", "0 of 2 networks")
    refused = lambda url: "cannot connect: Connection refused" in (
        expect.peer_of(made, url)["last_error"] or "")
    wait_until(lambda: refused(urls[0]), "that it is refused")
    assert made.rpc("health.diagnose")["cause"] == "peers_unreachable"
    no_candidate(made)
    host, port = held[0].getsockname()
    held[0].close()
    alive = stockws.StockWs(chain, host, port)
    try:
        waits_for(made, "1 of 3 peers", "1 of 2 networks")
        assert expect.peer_of(made, urls[0])["connected"]
        wait_until(lambda: refused(urls[1]) and refused(urls[2]), "the others'")
    finally:
        alive.stop()
        for sock in held:
            sock.close()
