"""A name server of a few A records, and what makes a daemon ask it."""

import contextlib
import socket
import struct
import threading

A, IN, NAME_ERROR = 1, 1, 3
TTL = 1


def _name(packet, at):
    """The name at that place of a question, and where it ends."""
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


class DnsServer:
    """names: {host name: IPv4 addresses}; any other does not exist.  asked counts, by name."""

    def __init__(self, host, names):
        self.host, self.names, self.asked = host, names, {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                packet, sender = self._socket.recvfrom(512)
                if not packet:
                    return  # stopped
                self._socket.sendto(self._answer(packet), sender)

    def _answer(self, packet):
        (number,) = struct.unpack(">H", packet[:2])
        name, end = _name(packet, 12)
        kind, _ = struct.unpack(">HH", packet[end:end + 4])
        self.asked[name] = self.asked.get(name, 0) + 1
        known = name in self.names
        found = self.names[name] if known and kind == A else []
        head = struct.pack(">HHHHHH", number, 0x8580 | (0 if known else NAME_ERROR), 1,
                           len(found), 0, 0)
        records = b"".join(
            struct.pack(">HHHIH", 0xC00C, A, IN, TTL, 4) + socket.inet_aton(address)
            for address in found)
        return head + packet[12:end + 4] + records


def asking(server, directory):
    """A command that runs another with this server as its only one: it sees other files of
    the resolver, in a mount namespace of its own."""
    (directory / "resolv.conf").write_text(f"nameserver {server.host}\n")
    (directory / "nsswitch.conf").write_text("hosts: dns\n")
    mounts = " && ".join(f"mount --bind {directory}/{name} /etc/{name}"
                         for name in ("resolv.conf", "nsswitch.conf"))
    return ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]
