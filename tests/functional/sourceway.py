"""A way to a source of snapshots, which counts each byte of the frames that passes, and may
spoil or slow them."""

import re
import threading

from objectstore import Proxy


class Fetch:
    """A range of the frames that was asked for."""

    def __init__(self, run, first, last):
        self.run, self.first, self.last = run, first, last
        self.sent = 0

    def __repr__(self):
        return f"run {self.run}: {self.first}-{self.last}, {self.sent} sent"

    def touches(self, span):
        return self.first <= span[1] and span[0] <= self.last

    def brought(self, span):
        """It gave all of the span."""
        return self.first <= span[0] and span[1] < self.first + self.sent


class SourceWay(Proxy):
    """pace: (bytes, seconds), that many and then a pause; None: all at once.  quick: so many
    answers ignore it.  spoils: a bit of each answer is another.  run: noted with each fetch.
    All may be changed while it serves."""

    def __init__(self, port, host, pace=None, spoils=False):
        self.pace, self.spoils, self.quick, self.run = pace, spoils, 0, 0
        self.fetches = []
        self.stopped = threading.Event()
        super().__init__(port, host=host)

    def stop(self):
        self.stopped.set()
        super().stop()

    def send(self, connection, request, answer):
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.fields.get("range", ""))
        if request.name != "base.coins.zst" or not asked or b" 206 " not in answer[:20]:
            super().send(connection, request, answer)
            return
        fetch = Fetch(self.run, *map(int, asked.groups()))
        self.fetches.append(fetch)
        head, end, body = answer.partition(b"\r\n\r\n")
        assert len(body) == fetch.last - fetch.first + 1
        if self.spoils:
            at = len(body) // 2
            body = body[:at] + bytes([body[at] ^ 16]) + body[at + 1:]
        connection.sendall(head + end)
        self._send_body(connection, fetch, body)

    def _send_body(self, connection, fetch, body):
        is_quick = self.quick > 0
        self.quick -= is_quick
        while fetch.sent < len(body) and not self.stopped.is_set():
            pace = None if is_quick else self.pace
            size = pace[0] if pace else len(body)
            part = body[fetch.sent : fetch.sent + size]
            connection.sendall(part)
            fetch.sent += len(part)
            if pace:
                self.stopped.wait(pace[1])
