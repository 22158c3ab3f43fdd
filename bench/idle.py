#!/usr/bin/python3
"""What the platform costs when nothing happens: memory (PSS) and CPU of everything of Freehold's own while the
quickstart is up, without its services. Goals: 25 MiB, 0.3 % of a core.

  idle.py [FREEHOLD] [SECONDS]      default build/release/freehold, 60 s
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SETTLE_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def platform_processes(status):
    """-> {name: pid}: the daemons, and the keepers of daemons and instances."""
    found = {daemon["name"]: daemon["pid"] for daemon in status["daemons"]}
    keepers = {f"keeper of {name}": parent(pid) for name, pid in found.items() if name in ("control", "gateway")}
    for service in status["services"]:
        keepers |= {f"keeper of {one['id']}": parent(one["pid"]) for one in service["instances"] if one["pid"]}
    return found | keepers


def own_quickstart(folder):
    """A copy of the example with a secret and a port of its own: neither the tree nor a quickstart that runs is touched."""
    shutil.copytree(ROOT / "examples/quickstart", folder)
    secrets = folder / "secrets.yaml"
    secrets.write_text("seal: idle\n")
    secrets.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    file = folder / "freehold.yaml"
    text = file.read_text()
    assert "listen: 127.0.0.1:8080" in text
    file.write_text(text.replace("listen: 127.0.0.1:8080", f"listen: 127.0.0.1:{port}"))
    return file


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/freehold").resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    state = tempfile.mkdtemp(prefix="freehold-idle-", dir="/var/lib" if os.geteuid() == 0 else "/var/tmp")
    os.chmod(state, 0o755)
    sources = pathlib.Path(tempfile.mkdtemp(prefix="freehold-idle-"))
    environment = {**os.environ, "FREEHOLD_STATE": state, "FREEHOLD_CONFIG": str(own_quickstart(sources / "quickstart"))}

    def run(*words, check=True):
        return subprocess.run([program, *words], env=environment, check=check, stdout=subprocess.PIPE, text=True).stdout

    try:
        run("up")
        time.sleep(SETTLE_SECONDS)
        processes = platform_processes(json.loads(run("status", "-o", "json")))
        before = {name: ticks(pid) for name, pid in processes.items()}
        time.sleep(seconds)
        used = {name: (ticks(pid) - before[name]) / TICKS / seconds * 100 for name, pid in processes.items()}
        memory = {name: pss_kib(pid) for name, pid in processes.items()}
        for name in processes:
            print(f"{name:24} {memory[name]:7d} KiB PSS   {used[name]:6.3f} % of a core")
        print(f"{'all':24} {sum(memory.values()):7d} KiB PSS   {sum(used.values()):6.3f} % of a core over {seconds} s")
        print(f"goal                     {25 * 1024:7d} KiB PSS    0.300 % of a core")
        return 0 if sum(memory.values()) <= 25 * 1024 and sum(used.values()) <= 0.3 else 1
    finally:
        run("down", check=False)  # what went wrong before shall be seen
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(sources, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
