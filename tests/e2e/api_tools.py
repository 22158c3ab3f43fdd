"""The programs of others that know OpenAPI, from npm as tests/api/package-lock.json pins them; installed once under build/."""
import hashlib
import os
import re
import shutil
import socket
import subprocess

import platform_under_test
import pytest

PINNED = platform_under_test.ROOT / "tests/api"
# They tell nobody that they ran, and ask nobody whether they are the newest.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1", "OTEL_SDK_DISABLED": "true",
         "NO_COLOR": "1", "CI": "true"}
OLDEST_NODE = (18, 20)


def need_node():
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not there; Debian has it as the package {'nodejs' if program == 'node' else program}")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_NODE:
        pytest.skip(f"node is {version}; the tools need {'.'.join(map(str, OLDEST_NODE))}")


def install(pinned, folder):
    """What the lock file in `pinned` names, in build/FOLDER/node_modules; anew when it names something else."""
    need_node()
    place = platform_under_test.ROOT / "build" / folder
    wanted = hashlib.sha256((pinned / "package-lock.json").read_bytes()).hexdigest()
    mark = place / "installed"
    if not mark.is_file() or mark.read_text() != wanted:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, place)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"], cwd=place,
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            assert "CI" not in os.environ, f"npm ci failed in {place}:\n{done.stderr}"
            pytest.skip(f"npm ci failed: {said[0] if said else done.returncode}")
        mark.write_text(wanted)
    return place / "node_modules/.bin"


def tool(name):
    return install(PINNED, "npm/api") / name


def are_there():
    try:
        tool("prism")
    except pytest.skip.Exception:
        return False
    return True


def run(*words, **more):
    return subprocess.run([str(word) for word in words], env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=120, **more)


class Prism:
    """Prism between somebody who asks and `upstream`, a port: what is not as `document` says is answered by it, as an error."""

    def __init__(self, document, upstream):
        self.port = platform_under_test.free_port()
        # Requests are let through as they are: tests send wrong ones, and what is said to them is to be as described too.
        self.process = subprocess.Popen(
            [str(tool("prism")), "proxy", str(document), f"http://127.0.0.1:{upstream}", "--port", str(self.port), "--errors",
             "--validate-request", "false", "--verboseLevel", "error"],
            env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        platform_under_test.wait_for(self.listens, 60, "Prism listens")

    def listens(self):
        assert self.process.poll() is None, f"Prism ended: {self.process.stdout.read()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=20)
