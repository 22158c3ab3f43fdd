"""load_while.py RETRY COMMAND...: runs the command with load on the gateway, and prints what became of both as JSON.

In the guest, beside load.py of the end-to-end tests. Few connections: a request takes milliseconds of an emulated processor.
"""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from load import Load  # noqa: E402

ENOUGH = 20  # answers before the command, and after it


def main():
    retry, command = sys.argv[1], sys.argv[2:]
    with Load(8080, kept=2, new=2, retry=retry, pause=0.02, timeout=60) as load:
        load.wait_for_requests(ENOUGH)
        before = load.requests
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        during = load.requests - before
        load.wait_for_requests(ENOUGH)
    print(json.dumps({"status": done.returncode, "said": done.stdout, "failures": [str(one) for one in load.failures], "during": during,
                      "requests": load.requests, "repeated": load.repeated, "slowest": round(load.slowest, 3)}))


if __name__ == "__main__":
    main()
