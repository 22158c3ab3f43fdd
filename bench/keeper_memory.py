#!/usr/bin/python3
"""What a keeper costs: starts 100 of them, each with a sleeping workload, and reports their proportional set size.

Usage: bench/keeper_memory.py [KEEPER] [COUNT]. Prints one JSON object; exits 1 if one keeper is over the budget.
"""
import json
import os
import pathlib
import signal
import sys
import tempfile

BUDGET_KIB = 150
ROOT = pathlib.Path(__file__).resolve().parent.parent


def start(keeper, folder):
    """Starts one keeper by its protocol (docs/operations/keeper-protocol.md); returns its pid and its workload's."""
    records = ["freehold-keeper 1", "mode=instance", "instance=bench.1", "service=bench", "boot=bench",
               f"folder={folder}", f"log_folder={folder}", "log_name=bench.1.log", "cwd=/",
               "argv=/bin/sh", "argv=-c", "argv=echo started; exec sleep 1000", "env=PATH=/usr/bin:/bin", "end"]
    configuration = os.memfd_create("configuration")
    os.write(configuration, b"".join(record.encode() + b"\0" for record in records))
    reader, writer = os.pipe()
    # Out of the way of the numbers that the keeper expects.
    configuration_high, writer_high = os.dup(configuration), os.dup(writer)
    pid = os.posix_spawn(keeper, ["freehold-keeper", "bench.1"], {}, file_actions=[
        (os.POSIX_SPAWN_DUP2, configuration_high, 103), (os.POSIX_SPAWN_DUP2, writer_high, 104),
        (os.POSIX_SPAWN_DUP2, 103, 3), (os.POSIX_SPAWN_DUP2, 104, 4),
        (os.POSIX_SPAWN_CLOSE, 103), (os.POSIX_SPAWN_CLOSE, 104)])
    for descriptor in (configuration, configuration_high, writer, writer_high):
        os.close(descriptor)
    answer = os.read(reader, 256).split()
    os.close(reader)
    if not answer or answer[0] != b"running":
        sys.exit(f"a keeper did not start: {answer}")
    return pid, int(answer[3])


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def main():
    keeper = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/freehold-keeper")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    started = []
    with tempfile.TemporaryDirectory() as root:
        try:
            for number in range(count):
                folder = pathlib.Path(root, str(number))
                folder.mkdir()
                started.append(start(keeper, folder))
            # Each has written a line by then: what is measured is a keeper that has worked.
            for number in range(count):
                log = pathlib.Path(root, str(number), "bench.1.log")
                while not log.exists() or log.stat().st_size == 0:
                    os.sched_yield()
            sizes = sorted(pss_kib(keeper_pid) for keeper_pid, _ in started)
        finally:
            for _, child in started:
                os.kill(child, signal.SIGKILL)
            for keeper_pid, _ in started:
                os.waitpid(keeper_pid, 0)
    result = {"bench": "keeper_memory", "keepers": count, "pss_kib_mean": round(sum(sizes) / count, 1),
              "pss_kib_most": sizes[-1], "budget_kib": BUDGET_KIB}
    print(json.dumps(result))
    sys.exit(0 if sizes[-1] <= BUDGET_KIB else 1)


main()
