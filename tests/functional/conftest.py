"""Fixtures: chains, peers and nodes; what they start ends with the test."""

import copy

import pytest
import stockpeer
import xai
from node import Node

HOSTS = ("127.1.0.1", "127.2.0.1", "127.3.0.1", "127.4.0.1", "127.5.0.1", "127.6.0.1")


def pytest_configure(config):
    config.addinivalue_line("markers", "tsan: also run against the thread sanitizer build")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for node in getattr(item, "nodes", []):
            report.sections.append((f"log of {node.directory.name}", node.log()[-20000:]))


@pytest.fixture(scope="session")
def _chain():
    return xai.fixture_chain()


@pytest.fixture
def chain(_chain):
    """The fixture chain, 0 to 240; the list is the test's, its blocks are shared."""
    return _chain.fork(len(_chain) - 1)


@pytest.fixture(scope="session")
def _payload():
    return xai.fixture_payload(200)


@pytest.fixture
def payload(_payload):
    """payload_200.json, the test's to alter."""
    return copy.deepcopy(_payload)


@pytest.fixture(scope="session")
def signer():
    """The checkpoint signer that nodes under test trust."""
    return xai.fixture_keys()["checkpoint_signer"]


@pytest.fixture
def peers(chain):
    """peers(n, chain) starts n peers in n networks; later calls go on with new ones."""
    started = []

    def start(count=3, serves=None):
        new = [stockpeer.StockPeer(serves or chain, HOSTS[len(started) + i])
               for i in range(count)]
        started.extend(new)
        return new

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture
def node(request, tmp_path):
    """node(peers, config) starts a daemon with a data directory of its own."""
    request.node.nodes = []

    def start(peers=(), config=None, environment=None):
        number = len(request.node.nodes)
        made = Node(tmp_path / f"node{number}", peers, config, environment)
        request.node.nodes.append(made)
        return made.start()

    yield start
    for made in request.node.nodes:
        made.close()
