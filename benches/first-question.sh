#!/bin/sh
# Seconds from a clean clone, crates downloaded, to the question of `cargo sandbox apply stacks/quickstart` on the
# screen. Aim: under two minutes on two quiet cores. Answers no, and leaves nothing behind.
#
#   benches/first-question.sh
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP
git clone --quiet . "$folder/hubform"
cd "$folder/hubform"
cargo fetch --quiet --locked
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR
python3 - <<'PYTHON'
"""Runs the command on a terminal of its own until it asks, says no, and tells how long the question took."""
import os, pty, select, sys, time

COMMAND = ["cargo", "sandbox", "apply", "stacks/quickstart"]
QUESTION = b"Carry out this plan?"
PATIENCE = 1200

began = time.monotonic()
child, screen = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.environ.pop("CI", None)
    os.execvp(COMMAND[0], COMMAND)

shown, asked = b"", None
while time.monotonic() - began < PATIENCE:
    if not select.select([screen], [], [], 1)[0]:
        continue
    try:
        piece = os.read(screen, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if asked is None and QUESTION in shown:
        asked = time.monotonic() - began
        os.write(screen, b"no\r")

if asked is None:
    os.kill(child, 15)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
if asked is None or b"Nothing was done." not in shown:
    sys.stdout.buffer.write(shown[-4000:])
    sys.exit(f"\nit did not ask, or did something; exit {status}")
used = os.times().children_user + os.times().children_system
print(f"{asked:.0f} s from a clean clone to the question, {used:.0f} s of processor time")
sys.exit(0 if asked < 120 else "that is more than two minutes")
PYTHON
