"""peers.*: what an operator does to peers, and what of it survives a restart.  Scenario 6."""

import expect
import pytest
from node import RpcError, wait_until

HOUR = 3600
ONE = {"checkpoint": {"quorum": 1, "min_peers": 1}}


def listed(node):
    return {p["address"]: p for p in node.rpc("peers.list")["peers"]}


def acts(node):
    return [e["body"] for e in node.rpc("audit.list", limit=1000)["entries"]
            if e["kind"] == "admin_act" and e["body"]["act"].startswith("peers.")]


def refused(node, code, method, **params):
    with pytest.raises(RpcError) as e:
        node.rpc(method, **params)
    assert e.value.code == code, e.value
    return e.value


@pytest.mark.tsan
def test_a_peer_is_added_used_and_kept(node, peers, chain, payload):
    one, two = peers(2)
    n = node([one], ONE)
    expect.bootstrapped(n, chain, payload=payload)
    shown = n.rpc("peers.add", peer=two.url.upper().replace("HTTP", "http") + "/")["peer"]
    assert shown["address"] == two.url
    assert (shown["origin"], shown["kind"], shown["in_use"]) == ("operator", "http", True)
    assert listed(n)[one.url]["origin"] == "configured"
    refused(n, -32004, "peers.add", peer=two.url)
    refused(n, -32004, "peers.add", peer=one.url)
    wait_until(lambda: listed(n)[two.url]["height"] == chain.tip["index"], "its tip")
    shown = listed(n)[two.url]
    assert shown["network_group"] == "127.2.0.0/16" and shown["ip"] == two.host
    assert shown["last_good"] is not None and shown["identity"] is None
    n.restart()
    assert listed(n)[two.url]["origin"] == "operator"
    wait_until(lambda: listed(n)[two.url]["height"] == chain.tip["index"], "its tip")
    assert n.rpc("peers.remove", peer=two.url) == {"removed": two.url}
    assert list(listed(n)) == [one.url]
    n.restart()
    assert list(listed(n)) == [one.url]
    assert [(a["act"], a["peer"]) for a in acts(n)] == [
        ("peers.add", two.url), ("peers.remove", two.url)]
    expect.audit_is_whole(n)


def test_what_cannot_be_done_says_why(node, peers):
    (one,) = peers(1)
    n = node([one])
    assert "p2p.enabled" in refused(n, -32004, "peers.add", peer="ws://192.0.2.1").data["detail"]
    assert "configuration" in refused(n, -32004, "peers.remove", peer=one.url).data["detail"]
    refused(n, -32003, "peers.remove", peer="http://192.0.2.1")
    refused(n, -32003, "peers.unban", peer=one.url)
    for bad in ("nonsense", "ftp://a", "http://a:b@c", "http://a/?q", "ws://a/path"):
        refused(n, -32602, "peers.add", peer=bad)
    assert acts(n) == []


@pytest.mark.tsan
def test_a_ban_survives_kill_and_every_spelling(node, peers, chain, payload):
    one, two = peers(2)
    n = node([one, two], ONE)
    expect.bootstrapped(n, chain, payload=payload)
    wait_until(lambda: listed(n)[two.url]["requests"], "it to be asked")
    shown = n.rpc("peers.ban", peer=two.url, seconds=HOUR, reason="sends nonsense")["peer"]
    assert shown["ban_reason"] == "peer_banned_by_operator"
    assert shown["ban_evidence"] == "sends nonsense" and not shown["usable"]
    n.kill9()
    n.start()
    after = listed(n)[two.url]
    assert after["banned_until"] == shown["banned_until"] and not after["usable"]
    assert after["ban_evidence"] == "sends nonsense"
    asked = two.requests_matching(".*")
    wait_until(lambda: listed(n)[one.url]["requests"] > 3, "the other to be asked")
    assert two.requests_matching(".*") == asked, "a banned peer is not asked"
    # under another spelling it is the same, and banned too
    port = two.url.rsplit(":", 1)[1]
    again = n.rpc("peers.add", peer=f"http://[::ffff:{two.host}]:{port}")["peer"]
    assert again["ban_evidence"] == "sends nonsense" and not again["usable"]
    n.rpc("peers.unban", peer=two.url)
    assert all(p["usable"] and p["banned_until"] is None for p in listed(n).values())
    wait_until(lambda: listed(n)[two.url]["requests"], "it to be asked again")
    n.restart()
    assert all(p["banned_until"] is None for p in listed(n).values())
    assert [a["act"] for a in acts(n)] == ["peers.ban", "peers.add", "peers.unban"]
    assert acts(n)[0]["seconds"] == HOUR and acts(n)[0]["reason"] == "sends nonsense"


def test_a_ban_outlives_removal_and_the_configuration(node, peers):
    one, two, three = peers(3)
    n = node([one, two])
    n.rpc("peers.add", peer=three.url)
    for url in (two.url, three.url, "http://192.0.2.77:8545"):
        n.rpc("peers.ban", peer=url)
    n.rpc("peers.remove", peer=three.url)
    n.stop()
    n.config["peers"] = [one.url]
    n.start()
    shown = listed(n)
    assert shown[one.url]["in_use"]
    for url in (two.url, three.url, "http://192.0.2.77:8545"):
        assert not shown[url]["in_use"] and shown[url]["banned_until"], url
        assert shown[url]["origin"] == "advertised"
