"""Hosts with addresses of their own, in network namespaces joined by a bridge.

A thread is in one namespace at a time, and a socket belongs to the one it was made in: a
test steps inside a host, starts a peer or the daemon there, and steps out again.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import uuid

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def missing():
    """Why namespaces cannot be had here; None when they can."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    try:
        with Network() as network:
            network.host("10.1.0.1")
    except (subprocess.CalledProcessError, OSError) as error:
        return f"network namespaces are not allowed here: {error}"
    return None


def enter(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


class Network:
    """One wire; every host on it is in 10.0.0.0/8, so that each /16 is a network group."""

    def __init__(self):
        self.prefix = "cairn" + uuid.uuid4().hex[:8]
        self.names = []

    def __enter__(self):
        self._add("hub")
        self._in("hub", "link", "add", "wire", "type", "bridge")
        self._in("hub", "link", "set", "wire", "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def _add(self, name):
        name = f"{self.prefix}-{name}"
        ip("netns", "add", name)
        self.names.append(name)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def _in(self, name, *words):
        ip("-n", f"{self.prefix}-{name}", *words)

    def host(self, *addresses):
        """A host with these addresses; what inside() takes."""
        number = len(self.names)
        name = self._add(f"h{number}")
        hub = f"{self.prefix}-hub"
        ip("-n", hub, "link", "add", f"p{number}", "type", "veth", "peer", "name", "eth0",
           "netns", name)
        ip("-n", hub, "link", "set", f"p{number}", "master", "wire", "up")
        ip("-n", name, "link", "set", "eth0", "up")
        for address in addresses:
            ip("-n", name, "address", "add", f"{address}/8", "dev", "eth0")
        return name

    @contextlib.contextmanager
    def inside(self, name):
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            enter(f"/run/netns/{name}")
            yield
        finally:
            try:
                if libc.setns(here, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns back")
            finally:
                os.close(here)
