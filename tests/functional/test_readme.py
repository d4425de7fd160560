"""What README.md tells an operator to type, typed."""

import json
import re
import subprocess

import expect
import node as under_test
import yaml

README = (under_test.REPO / "README.md").read_text()


def blocks_of_commands():
    """The indented blocks, as shell text."""
    found = re.findall(r"(?:^    .*\n)+", README, re.M)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in found]


def test_an_operator_gets_through_with_curl_alone(node, peers, chain, payload, signer):
    three = peers(3)
    url = three[0].serve("/payload.json", payload)
    config = yaml.safe_load(re.search(r"```yaml\n(.*?)```", README, re.S).group(1))
    config["peers"] = [p.url for p in three]
    config["checkpoint"]["trusted_pubkeys"] = [signer.compressed]
    config["rpc"]["listen"] = "127.0.0.1:0"
    n = node(three, config)

    define = next(b for b in blocks_of_commands() if b.startswith("call()"))
    use = next(b for b in blocks_of_commands() if b.startswith("call sync.start"))
    define = define.replace("127.0.0.1:8645", n.address)
    use = use.replace("https://publisher.example/payload.json", url)
    shell = subprocess.run(["bash", "-euc", define + use], capture_output=True, text=True,
                           timeout=100, check=True, cwd=n.directory)
    answers = [json.loads(line) for line in shell.stdout.splitlines()]
    assert len(answers) == use.count("call ")
    for answer in answers:
        assert "result" in answer, answer
    assert answers[0]["result"] == {"job_id": "job-1"}
    assert answers[1]["result"]["state"] == "succeeded"
    assert answers[4]["result"]["height"] == 200
    expect.at_tip_of(n, chain)


def test_check_config_prints_what_is_in_force(tmp_path):
    file = tmp_path / "cairn.yaml"
    file.write_text("network: testnet\ndata_dir: ./cairn-data\n")
    command = [under_test.binary(), "--config", str(file), "--check-config"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(shown.stdout)["network"] == "testnet"
    file.write_text("network: testnet\ncheckpoint:\n  qourum: 3\n")
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert refused.returncode != 0
    assert "qourum" in refused.stderr and "quorum" in refused.stderr and ":3" in refused.stderr
