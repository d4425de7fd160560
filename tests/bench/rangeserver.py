"""A plain HTTP server of a directory with ranges, in a process of its own, for benchmarks.

rangeserver.py DIRECTORY [BYTES_A_SECOND]: prints its port.  The speed is that of all its
connections together.
"""

import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STEP = 256 << 10


class Pace:
    def __init__(self, speed):
        self.speed = speed
        self.due = time.monotonic()
        self.lock = threading.Lock()

    def wait(self, size):
        if not self.speed:
            return
        with self.lock:
            self.due = max(self.due, time.monotonic() - 1.0) + size / self.speed
            pause = self.due - time.monotonic()
        if pause > 0:
            time.sleep(pause)


def serve(directory, speed):
    pace = Pace(speed)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            path = Path(directory) / self.path.lstrip("/")
            if ".." in self.path or not path.is_file():
                self.send_error(404)
                return
            size = path.stat().st_size
            first, last = 0, size - 1
            asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
            if asked and asked[1]:
                first, last = int(asked[1]), min(int(asked[2] or last), last)
            elif asked:
                first = max(size - int(asked[2]), 0)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Length", str(last - first + 1))
            self.end_headers()
            with open(path, "rb") as f:
                while first <= last:
                    size = min(last - first + 1, STEP if speed else 1 << 30)
                    pace.wait(size)
                    sent = os.sendfile(self.connection.fileno(), f.fileno(), first, size)
                    if sent == 0:
                        return
                    first += sent

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # whoever comes second is cancelled
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0)
