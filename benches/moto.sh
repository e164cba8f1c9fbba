#!/bin/sh
# Seconds and calls of `hubform apply` of 20 small endpoint stacks on moto, which makes a stack at once: all that is
# not moto's own time is waiting and overhead. From the start of the program to its end, questions before the plan
# included; best of five runs on an empty account, after one that is not counted. Aim: under 1.1 s and at most 50 calls on two
# quiet cores.
#
#   benches/moto.sh                       # builds the program for release, with the AWS SDK
#   benches/moto.sh target/debug/hubform  # measures this one
#
# Moto comes from PyPI at the versions in tests/peers/moto.txt, into the environment that the tests use.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
program=${1:-}
if [ -z "$program" ]; then
  cargo build --quiet --release
  program=$target/release/hubform
fi
peer=$target/peers/moto-$(sha256sum tests/peers/moto.txt | cut -c1-12)
if [ ! -d "$peer" ]; then
  python3 -m venv "$peer.draft"
  "$peer.draft/bin/python" -m pip install --quiet --no-deps --requirement tests/peers/moto.txt
  mv "$peer.draft" "$peer"
fi
exec "$peer/bin/python" - "$program" <<'PYTHON'
"""Starts moto, applies, and counts the requests that its log has."""
import os, re, subprocess, sys, tempfile, time, urllib.request

STACKS, RUNS, MOST_SECONDS, MOST_CALLS = 20, 5, 1.1, 50
SHARED = """apiVersion: hubform.dev/v1
kind: Environment
metadata: {name: bench}
---
apiVersion: hubform.dev/v1
kind: Hardware
metadata: {name: cpu}
spec: {instances: [ml.m5.xlarge]}
---
apiVersion: hubform.dev/v1
kind: Scaling
metadata: {name: one}
spec: {min: 1, max: 1}
"""
ENDPOINT = """---
apiVersion: hubform.dev/v1
kind: Endpoint
metadata: {name: e%d}
spec: {model: BAAI/bge-small-en-v1.5, hardware: cpu, scaling: one, role: "%s"}
"""
TRUST = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "sagemaker.amazonaws.com"}}]}"""
# Moto's stacks name endpoints by themselves, so that the check after an apply would find none.
SERVE = """import runpy
from moto.sagemaker.models import FakeEndpoint
FakeEndpoint.cloudformation_name_type = staticmethod(lambda: "EndpointName")
runpy.run_path("tests/it/peers/serve.py", run_name="__main__")"""
AWS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1",
       "AWS_EC2_METADATA_DISABLED": "true"}


def role(url):
    import boto3
    iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="bench",
                       aws_secret_access_key="bench")
    return iam.create_role(RoleName="models", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]


def requests(log):
    log.seek(0)
    return sum(1 for line in log if re.search(r'"(POST|GET) \S* HTTP', line))


def apply(program, url, log):
    """On an empty account, which has a role and no stack."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    arn = role(url)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/all.yaml", "w") as file:
            file.write(SHARED + "".join(ENDPOINT % (number, arn) for number in range(STACKS)))
        before, began = requests(log), time.monotonic()
        done = subprocess.run([program, "apply", "--yes", "."], cwd=folder, text=True, capture_output=True,
                              env={**AWS, "AWS_ENDPOINT_URL": url, "HOME": folder, "PATH": os.environ["PATH"]})
        took = time.monotonic() - began
    if done.returncode != 0 or f"{STACKS} created" not in done.stdout:
        sys.exit(f"the apply failed with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return took, requests(log) - before


def main(program):
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen([sys.executable, "-c", SERVE, "moto"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            apply(program, url, log)  # moto imports its services when they are first asked
            runs = [apply(program, url, log) for _ in range(RUNS)]
        finally:
            server.stdin.close()
            server.wait()
    took, calls = min(runs)
    each = ", ".join(f"{took:.2f} s and {calls} calls" for took, calls in runs)
    print(f"{STACKS} stacks on moto: {took:.2f} s, {calls} calls (best of {each})")
    if took >= MOST_SECONDS or calls > MOST_CALLS:
        sys.exit(f"that is not under {MOST_SECONDS} s with at most {MOST_CALLS} calls")


main(os.path.abspath(sys.argv[1]))
PYTHON
