"""A real S3 server: OpenStack Swift's four servers with its S3 front, in one process.

Run as a program (`objectstore.py DIR`) it serves from DIR until it is ended, and prints its port. It
verifies SigV4 signatures, dates and the hashes of bodies, keeps multipart uploads, and is what Debian
packages (python3-swift) and operators run. class ObjectStore starts it for a test."""

import datetime
import hashlib
import hmac
import http.client
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

KEY, SECRET, REGION = "cairn:publisher", "secret/with+signs=", "eu-test-1"

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = cairn
"""
STORAGE_CONF = """[DEFAULT]
devices = {dir}/devices
mount_check = false
swift_dir = {dir}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY_CONF = """[DEFAULT]
swift_dir = {dir}
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats bulk s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_cairn_publisher = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""


class Cache:
    """In memcached's place, of this process alone; nothing grows old in a test."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def incr(self, key, delta=1, **_):
        self.values[key] = int(self.values.get(key) or 0) + delta
        return self.values[key]

    def delete(self, key, **_):
        self.values.pop(key, None)


def with_cache(app, cache):
    def call(env, start):
        env["swift.cache"] = cache
        return app(env, start)
    return call


def serve(home):
    ahead = float(os.environ.get("STORE_SECONDS_AHEAD", "0"))
    if ahead:
        real = time.time
        time.time = lambda: real() + ahead
    import eventlet
    eventlet.monkey_patch()
    from swift.common import utils, wsgi
    from swift.common.ring import RingBuilder

    home = pathlib.Path(home)
    (home / "devices/disk").mkdir(parents=True, exist_ok=True)
    (home / "swift.conf").write_text(SWIFT_CONF)
    utils.SWIFT_CONF_FILE = str(home / "swift.conf")
    utils.validate_hash_conf()
    sockets = {}
    for kind in ("account", "container", "object"):
        sock = eventlet.listen(("127.0.0.1", 0))
        ring = RingBuilder(1, 1, 1)
        ring.add_dev({"id": 0, "zone": 1, "region": 1, "ip": "127.0.0.1", "port": sock.getsockname()[1],
                      "device": "disk", "weight": 1})
        ring.rebalance()
        ring.get_ring().save(str(home / f"{kind}.ring.gz"))
        (home / f"{kind}.conf").write_text(STORAGE_CONF.format(dir=home, kind=kind))
        sockets[kind] = sock
    (home / "proxy.conf").write_text(PROXY_CONF.format(dir=home, region=REGION, secret=SECRET))
    sockets["proxy"] = eventlet.listen(("127.0.0.1", int(os.environ.get("STORE_PORT", "0"))))
    for kind, sock in sockets.items():
        app = wsgi.loadapp(str(home / f"{kind}.conf"))
        app = with_cache(app, Cache()) if kind == "proxy" else app
        eventlet.spawn(eventlet.wsgi.server, sock, app, utils.NullLogger(), protocol=wsgi.SwiftHttpProtocol,
                       custom_pool=eventlet.GreenPool(64), log_output=False)
    print(sockets["proxy"].getsockname()[1], flush=True)
    eventlet.event.Event().wait()


class ObjectStore:
    """The server in a process of its own, and a client that signs as an operator's tool does."""

    def __init__(self, home, **environment):
        self.process = subprocess.Popen([sys.executable, __file__, str(home)], stdout=subprocess.PIPE,
                                        env={**os.environ, **environment})
        line = self.process.stdout.readline()
        assert line, "the object store did not start; is python3-swift installed?"
        self.port = int(line)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _sign(self, method, path, query, body, fields):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        fields = {"host": f"127.0.0.1:{self.port}", "x-amz-date": stamp, "x-amz-content-sha256": digest, **fields}
        names = ";".join(sorted(fields))
        lines = [method, path, query, *(f"{k}:{fields[k]}" for k in sorted(fields)), "", names, digest]
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        fields["authorization"] = (f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, "
                                   f"Signature={hmac.new(key, text.encode(), 'sha256').hexdigest()}")
        return fields

    def request(self, method, path, query="", body=b"", **fields):
        fields = self._sign(method, path, query, body, {k.replace("_", "-"): v for k, v in fields.items()})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path + (f"?{query}" if query else ""), body, fields)
        answer = connection.getresponse()
        answer.bytes = answer.read()
        connection.close()
        return answer

    def make_bucket(self, name):
        assert self.request("PUT", f"/{name}").status == 200
        return name

    def get(self, bucket, key):
        """An object's bytes; None: there is none."""
        answer = self.request("GET", f"/{bucket}/{key}")
        assert answer.status in (200, 404), answer.bytes
        return answer.bytes if answer.status == 200 else None

    def put(self, bucket, key, body, **fields):
        assert self.request("PUT", f"/{bucket}/{key}", body=body, **fields).status == 200

    def uploads(self, bucket):
        """How many uploads in parts are under way."""
        return self.request("GET", f"/{bucket}", "uploads=").bytes.count(b"<Upload>")

    def publish_to_all(self, bucket):
        """Anyone may read the bucket, without a signature; the URL of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/auth/v1.0", headers={"X-Auth-User": KEY, "X-Auth-Key": SECRET})
        answer = connection.getresponse()
        answer.read()
        token, path = answer.getheader("X-Auth-Token"), "/v1/AUTH_cairn/" + bucket
        connection.request("POST", path, headers={"X-Auth-Token": token, "X-Container-Read": ".r:*"})
        assert connection.getresponse().status == 204
        return self.endpoint + path


class Request:
    """One that passed a proxy."""

    def __init__(self, head, body):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, target, _ = line.split(" ")
        self.path, _, self.query = target.partition("?")
        self.name = self.path.rsplit("/", 1)[-1]
        self.fields = {k.lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)}
        self.line, self.body = line, body

    def __repr__(self):
        return f"{self.method} {self.name}?{self.query}"

    @property
    def part(self):
        return int(self.query.split("&")[0][11:]) if self.query.startswith("partNumber=") else 0


class Cut(Exception):
    """The proxy closes the connection at once."""


class Proxy:
    """Between a client and a store. For each request judge(request) is asked: None passes it on, bytes are
    the answer instead, a function gets the store's answer and gives another; it may raise Cut, and wait."""

    def __init__(self, port, judge=lambda request: None, host="127.0.0.1"):
        self.upstream, self.judge, self.seen = port, judge, []
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.endpoint = f"http://{host}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _read(self, stream, connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline(65536)
            if not line:
                return None
            head += line
        request = Request(head[:-4], b"")
        if "expect" in request.fields:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = stream.read(int(request.fields.get("content-length", "0")))
        complete = len(request.body) == int(request.fields.get("content-length", "0"))
        return request if complete else None

    def _forward(self, request):
        with socket.create_connection(("127.0.0.1", self.upstream)) as up:
            fields = {k: v for k, v in request.fields.items() if k not in ("expect", "connection")}
            head = [request.line, *(f"{k}: {v}" for k, v in fields.items()), "Connection: close", "", ""]
            up.sendall("\r\n".join(head).encode("latin-1") + request.body)
            answer = b""
            while piece := up.recv(1 << 16):
                answer += piece
            return answer

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                request = self._read(stream, connection)
                if request:
                    self.seen.append(request)
                    verdict = self.judge(request)
                    answer = verdict if isinstance(verdict, bytes) else self._forward(request)
                    self.send(connection, request, verdict(answer) if callable(verdict) else answer)
            except (Cut, OSError):
                pass

    def send(self, connection, request, answer):
        connection.sendall(answer)


if __name__ == "__main__":
    serve(sys.argv[1])
