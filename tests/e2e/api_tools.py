"""The programs of others that know OpenAPI, from npm as tests/api/package-lock.json pins them; installed once under build/."""
import functools
import os
import pathlib
import socket
import subprocess

import platform_under_test
import pytest

PINNED = platform_under_test.ROOT / "tests/api"
# They tell nobody that they ran, and ask nobody whether they are the newest.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1", "OTEL_SDK_DISABLED": "true",
         "NO_COLOR": "1", "CI": "true"}


def done_or_skipped(done):
    """Of a script that needs npm: where that is not there, the test is skipped for the reason that the script gives."""
    reason = (done.stderr.strip() or done.stdout.strip() or "nothing was said").splitlines()
    if done.returncode == 3:
        pytest.skip(reason[-1])
    assert done.returncode == 0, "\n".join(reason)
    return done


@functools.cache
def programs():
    return run(platform_under_test.ROOT / "scripts/npm_install", PINNED, "api", timeout=600)


def tool(name):
    return pathlib.Path(done_or_skipped(programs()).stdout.strip(), name)


def are_there():
    try:
        tool("prism")
    except pytest.skip.Exception:
        return False
    return True


def run(*words, timeout=120):
    return subprocess.run([str(word) for word in words], env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=timeout)


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
