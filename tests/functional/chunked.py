"""A stock node's chunked snapshots: its directory, and its /sync routes on a simulated peer."""

import gzip
import hashlib
import json

import stockpeer
import xai


class Snapshot:
    """A payload's text cut up as stock's chunk service cuts it."""

    def __init__(self, payload, chunk_size=4096, compress=True):
        self.body = xai.spaced(payload)
        self.body = self.body if isinstance(self.body, bytes) else self.body.encode()
        self.id = f"height_{payload['height']}_{payload['block_hash'][:8]}"
        self.compress = compress
        self.raw = [self.body[i:i + chunk_size] for i in range(0, len(self.body), chunk_size)]
        self.meta = {
            "snapshot_id": self.id, "height": payload["height"],
            "block_hash": payload["block_hash"], "state_hash": payload["state_hash"],
            "total_chunks": len(self.raw), "total_size": len(self.body),
            "chunk_size": chunk_size, "timestamp": 1795332909.94,
            "compression_enabled": compress,
            "priority_map": {str(i): 2 for i in range(len(self.raw))},
        }

    def packed(self, i):
        return gzip.compress(self.raw[i]) if self.compress else self.raw[i]

    def checksum(self, i):
        return hashlib.sha256(self.raw[i]).hexdigest()

    def write(self, directory):
        directory.mkdir(parents=True)
        (directory / "metadata.json").write_text(json.dumps(self.meta, indent=2))
        for i in range(len(self.raw)):
            (directory / f"chunk_{i:06}.bin").write_bytes(self.packed(i))
            (directory / f"chunk_{i:06}.json").write_text(json.dumps({
                "chunk_id": self.id, "chunk_index": i, "total_chunks": len(self.raw),
                "checksum": self.checksum(i), "compressed": self.compress,
                "priority": 2, "size_bytes": len(self.raw[i])}, indent=2))
        return directory

    def chunk(self, i):
        """The answer of /sync/snapshot/<id>/chunk/<i>."""
        return stockpeer.Answer(200, self.packed(i), {
            "Content-Type": "application/octet-stream", "X-Chunk-Index": str(i),
            "X-Total-Chunks": str(len(self.raw)), "X-Chunk-Checksum": self.checksum(i),
            "X-Compressed": "true" if self.compress else "false"})

    def serve(self, peer):
        """On the peer, in stock's shapes; the URL to start from."""
        told = {"status": "ok", "snapshot": self.meta}
        peer.serve(f"/sync/snapshot/{self.id}", told)
        peer.fail(f"/sync/snapshot/{self.id}/chunk/[0-9]+",
                  lambda path: self.chunk(int(path.rsplit("/", 1)[1])))
        return peer.serve("/sync/snapshot/latest", told)
