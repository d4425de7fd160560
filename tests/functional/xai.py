"""XAI's rules as the tests need them, written again in Python and apart from the daemon.

Chains are lists of blocks in the form stock nodes serve; a block's number spelling is kept
by json (12 and 12.0 differ in a hash).
"""

import copy
import hashlib
import json
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from Cryptodome.Hash import keccak
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

DATA = Path(__file__).resolve().parent.parent / "data"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def canon(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def spaced(value):
    return json.dumps(value, sort_keys=True).encode()


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


# --- keys and addresses ---


class Key:
    """A secp256k1 key; a text makes one that is the same in every run."""

    def __init__(self, secret):
        if isinstance(secret, str):
            secret = int(sha256_hex(b"cairn test key " + secret.encode()), 16)
        self.secret = secret % ORDER
        self._key = ec.derive_private_key(self.secret, ec.SECP256K1())
        point = self._key.public_key().public_numbers()
        self.public = f"{point.x:064x}{point.y:064x}"
        self.compressed = f"{2 + point.y % 2:02x}{point.x:064x}"
        self.address = address_of(self.public)

    def sign_digest(self, digest, high_s=False):
        """r||s in hex; low s, as chain rules demand, unless high_s."""
        der = self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        r, s = utils.decode_dss_signature(der)
        if (s > ORDER // 2) != high_s:
            s = ORDER - s
        return f"{r:064x}{s:064x}"

    def sign(self, text):
        return self.sign_digest(hashlib.sha256(text.encode()).digest())


def address_of(public):
    body = sha256_hex(bytes.fromhex(public))[:40]
    mask = keccak.new(digest_bits=256, data=body.encode()).hexdigest()
    cased = (c.upper() if int(m, 16) >= 8 else c for c, m in zip(body, mask))
    return "TXAI" + "".join(cased)


def fixture_keys():
    """The wallets of the fixture chain and its checkpoint signer, by name."""
    keys = json.loads((DATA / "keys.json").read_text())
    return {name: Key(int(k["private_key"], 16)) for name, k in keys.items()}


# --- amounts ---


def stored_amount(amount):
    """What a coin keeps of an output's amount: 18 decimals, the rest cut."""
    cut = Decimal(str(amount)).quantize(Decimal(1).scaleb(-18), ROUND_DOWN)
    return float(cut)


def atto(amount):
    """Exactly what the chain compares: "%.18f" of the double."""
    return Decimal("%.18f" % amount)


# --- transactions ---

TXID_FIELDS = (
    "amount fee inputs nonce outputs recipient sender timestamp".split()
)


def txid(tx):
    body = {name: tx[name] for name in TXID_FIELDS}
    body["chain_context"] = "testnet"
    return sha256_hex(canon(body))


def transaction(sender, outputs, *, inputs=(), fee=0.0, nonce=None, timestamp, kind="normal"):
    """outputs: [(address, amount)]; the first is the recipient.  Unsigned."""
    tx = {
        "amount": float(outputs[0][1]),
        "fee": fee,
        "inputs": [{"txid": t, "vout": v} for t, v in inputs],
        "metadata": {},
        "nonce": nonce,
        "outputs": [{"address": a, "amount": n} for a, n in outputs],
        "public_key": None,
        "rbf_enabled": False,
        "recipient": outputs[0][0],
        "replaces_txid": None,
        "sender": sender,
        "signature": None,
        "timestamp": timestamp,
        "tx_type": kind,
    }
    tx["txid"] = txid(tx)
    return tx


def coinbase(address, amount, timestamp):
    return transaction("COINBASE", [(address, amount)], timestamp=timestamp, kind="coinbase")


def transfer(key, inputs, outputs, *, timestamp, fee=0.01, nonce=1000):
    tx = transaction(
        key.address, outputs, inputs=inputs, fee=fee, nonce=nonce, timestamp=timestamp
    )
    tx["public_key"] = key.public
    tx["signature"] = key.sign(tx["txid"])
    return tx


# --- blocks ---


def merkle_root(txids):
    if not txids:
        return sha256_hex(b"")
    level = list(txids)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256_hex((a + b).encode()) for a, b in zip(level[::2], level[1::2])]
    return level[0]


HEADER_FIELDS = "difficulty index merkle_root nonce previous_hash timestamp".split()


def header_hash(block):
    header = {name: block[name] for name in HEADER_FIELDS}
    header["timestamp"] = float(header["timestamp"])
    if block.get("version") is not None:
        header["version"] = block["version"]
    return sha256_hex(canon(header))


def seal(block, key=None, work=True):
    """Find the nonce for the block as it stands and set hash and miner signature.
    work=False: a nonce that does not do."""
    probe = {name: block[name] for name in HEADER_FIELDS}
    probe["nonce"] = "@"
    if block.get("version") is not None:
        probe["version"] = block["version"]
    head, tail = canon(probe).split(b'"@"')
    start = hashlib.sha256(head)
    zeros = "0" * block["difficulty"]
    nonce = 0
    while True:
        trial = start.copy()
        trial.update(b"%d" % nonce + tail)
        found = trial.hexdigest()
        if found.startswith(zeros) == work:
            break
        nonce += 1
    block["nonce"], block["hash"] = nonce, found
    block["signature"] = key.sign(found) if key else None
    block["miner_pubkey"] = key.public if key else None
    return block


def block_work(block):
    return 16 ** block["difficulty"] - 1


def next_difficulty(chain, timestamp):
    """The testnet's rule for the block after chain, dated timestamp."""
    last = chain[-1]
    base, result = last["difficulty"], last["difficulty"]
    if timestamp - last["timestamp"] >= 1200:
        result = 1
    elif len(chain) > 1 and (len(chain) - 1) % 144 == 0:
        window = [b["timestamp"] for b in chain[-144:]]
        clean = window[:1]
        for t in window[1:]:
            clean.append(t if t > clean[-1] else clean[-1] + 1.2)
        elapsed = clean[-1] - clean[0]
        ratio = min(max(120 * (len(window) - 1) / elapsed, 0.25), 4.0)
        result = max(1, round(base * ratio))
    return min(result, 4)


class Chain(list):
    """Blocks from genesis; index = height."""

    def fork(self, height):
        """The chain up to and with height, to be continued apart."""
        return Chain(self[: height + 1])

    @property
    def tip(self):
        return self[-1]

    def work(self, height=None):
        end = len(self) if height is None else height + 1
        return sum(block_work(b) for b in self[:end])

    def next_block(self, transactions=None, *, gap=30.0, reward=12.12, **changes):
        """The block that would be next, not sealed and not appended."""
        timestamp = self.tip["timestamp"] + gap
        if transactions is None:
            transactions = []
        fees = sum(tx["fee"] for tx in transactions)
        miner = Key("miner")
        first = coinbase(miner.address, reward + fees, timestamp - 0.001)
        block = {
            "difficulty": next_difficulty(self, timestamp),
            "index": len(self),
            "miner": miner.address,
            "nonce": 0,
            "previous_hash": self.tip["hash"],
            "timestamp": timestamp,
            "transactions": [first, *transactions],
            "version": 1,
        }
        block["merkle_root"] = merkle_root([t["txid"] for t in block["transactions"]])
        block.update(changes)
        return block

    def mine(self, transactions=None, **options):
        self.append(seal(self.next_block(transactions, **options)))
        return self.tip

    def mine_many(self, count, **options):
        for _ in range(count):
            self.mine(**options)
        return self

    def remine(self, height, change, keep_difficulty=True):
        """A copy in which change(block) altered the block at height, and every later one
        was linked and sealed anew."""
        out = self.fork(height - 1)
        for old in self[height:]:
            block = copy.deepcopy(old)
            block["previous_hash"] = out[-1]["hash"]
            if old["index"] == height:
                change(block)
            out.append(seal(block))
        return out

    def coins(self, height=None):
        """Unspent coins after height: {(txid, vout): (address, amount)}."""
        coins = {}
        for block in self if height is None else self[: height + 1]:
            for tx in block["transactions"]:
                for used in tx["inputs"]:
                    del coins[used["txid"], used["vout"]]
                for vout, out in enumerate(tx["outputs"]):
                    coin = out["address"], stored_amount(out["amount"])
                    coins[tx["txid"], vout] = coin
        return coins

    def supply(self, height=None):
        """Exact, as a Decimal."""
        return sum((atto(amount) for _, amount in self.coins(height).values()), Decimal(0))


def fixture_chain():
    lines = (DATA / "chain/blocks.jsonl").read_text().splitlines()
    return Chain(json.loads(line) for line in lines)


def fixture_branch(pair, branch):
    """The chain of forks/pair<pair> that ends in branch "a" or "b"."""
    info = json.loads((DATA / f"forks/pair{pair}/info.json").read_text())
    chain = fixture_chain().fork(info["branch_point"])
    path = DATA / f"forks/pair{pair}/branch_{branch}.jsonl"
    chain.extend(json.loads(line) for line in path.read_text().splitlines())
    return chain


# --- checkpoints ---


def state_hash(data):
    return sha256_hex(spaced(data))


def checkpoint_digest(payload):
    names = ("block_hash", "height", "state_hash")
    return hashlib.sha256(canon({name: payload[name] for name in names})).digest()


def sign_payload(payload, key, high_s=False):
    payload["signature"] = key.sign_digest(checkpoint_digest(payload), high_s)
    payload["pubkey"] = key.public
    return payload


def reseal_payload(payload, key):
    """After data was changed: the hash and the signature of what it is now."""
    payload["state_hash"] = state_hash(payload["data"])
    return sign_payload(payload, key)


def fixture_payload(height=200):
    return json.loads((DATA / f"checkpoint/payload_{height}.json").read_text())


def make_payload(chain, height, key):
    """A payload of the chain's own state at height, signed by key."""
    lists = {}
    coins = chain.coins(height)
    for (tx, vout), (address, amount) in coins.items():
        lists.setdefault(address, []).append(
            {
                "address": address,
                "amount": amount,
                "script_pubkey": "P2PKH " + address,
                "spent": False,
                "txid": tx,
                "vout": vout,
            }
        )
    payload = {
        "height": height,
        "block_hash": chain[height]["hash"],
        "state_hash": "",
        "data": {
            "utxo_snapshot": {
                "total_utxos": len(coins),
                "total_value": sum(amount for _, amount in coins.values()),
                "utxo_set": lists,
            }
        },
        "work": chain.work(height),
    }
    return reseal_payload(payload, key)
