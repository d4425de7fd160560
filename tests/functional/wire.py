"""A server of raw bytes, for answers that no HTTP library would send."""

import socket
import threading

import xai


def head(status, *fields):
    lines = [f"HTTP/1.1 {status} x", "Content-Type: application/json", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunks(body, size, end=True):
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    text = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)
    return text + (b"0\r\n\r\n" if end else b"")


class Request:
    def __init__(self, text):
        lines = text.decode("latin-1").split("\r\n")
        self.path = lines[0].split(" ")[1]
        self.fields = {k.lower(): v.strip() for k, _, v in
                       (line.partition(":") for line in lines[1:] if line)}
        self.range = self.fields.get("range")


class Wire:
    """answer(request) gives the bytes of an answer, or yields pieces of it; a connection
    has one request."""

    def __init__(self, answer, host="127.7.0.1"):
        self.answer = answer
        self.asked = []
        self.stopped = threading.Event()
        self._listener = socket.create_server((host, 0))
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                text = b""
                while b"\r\n\r\n" not in text:
                    more = connection.recv(65536)
                    if not more:
                        return
                    text += more
                request = Request(text)
                self.asked.append(request)
                answer = self.answer(request)
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(piece)
            except OSError:
                pass  # the daemon went away, as it may


def etag_of(body):
    return '"' + xai.sha256_hex(body)[:16] + '"'


def whole(body, *fields):
    return head(200, f"Content-Length: {len(body)}", f"ETag: {etag_of(body)}", "Connection: close",
                *fields) + body


def honest(body):
    """An answer function with ranges, as a good server has it."""
    def answer(request):
        if not request.range:
            return whole(body)
        first, last = request.range.removeprefix("bytes=").split("-")
        start = len(body) - int(last) if first == "" else int(first)
        start = max(start, 0)
        end = len(body) - 1 if first == "" or last == "" else min(int(last), len(body) - 1)
        part = body[start : end + 1]
        return head(206, f"Content-Length: {len(part)}", f"ETag: {etag_of(body)}",
                    f"Content-Range: bytes {start}-{end}/{len(body)}",
                    "Connection: close") + part
    return answer
