"""What a service may not do to another, or to the platform."""
import json

import pytest
from platform_under_test import DONE, PYTHON, needs_root, wait_for

pytestmark = needs_root("each service has a user of its own")

PROBE = """
import ctypes, json, os, signal, socket, sys
pid, volume, api = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return type(error).__name__
def trace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, 0, 0) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
def call():
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(api)
        s.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        answer = s.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise PermissionError("refused")
print(json.dumps({
    "signal": attempt(lambda: os.kill(pid, 0)),
    "stop": attempt(lambda: os.kill(pid, signal.SIGSTOP)),
    "trace": attempt(trace),
    "environment": attempt(lambda: open(f"/proc/{pid}/environ", "rb").read(1)),
    "memory": attempt(lambda: open(f"/proc/{pid}/mem", "rb").read(1)),
    "volume": attempt(lambda: os.listdir(volume)),
    "api": attempt(call),
}))
"""


@pytest.fixture
def two(platform):
    """Services a and b, alike but for their names."""
    for name in "ab":
        platform.program(f"{name}/service.py", version=name)
    services = {name: platform.service(f"./{name}/service.py", env={"DATA": "${volume.data.path}"}, volumes={"data": {"writers": "one"}})
                for name in "ab"}
    platform.write_file(services=services, paths={"/a/*": {"to": "a"}, "/b/*": {"to": "b"}})
    platform.up()
    return platform


def inside(platform, name, *words):
    return platform.run("exec", name, "--", *words, expect=DONE).out.strip()


def test_a_service_cannot_signal_trace_or_read_another_or_use_the_api(two):
    victim = two.healthy("b")[0]["pid"]
    volume = inside(two, "b", "/usr/bin/printenv", "DATA")
    api = next(two.state.rglob("api.sock"))
    result = json.loads(inside(two, "a", PYTHON, "-c", PROBE, str(victim), volume, str(api)))
    assert result.pop("volume") in ("PermissionError", "FileNotFoundError")
    assert result.pop("api") in ("PermissionError", "FileNotFoundError", "ConnectionRefusedError")
    assert set(result.values()) <= {"PermissionError", "ProcessLookupError", "FileNotFoundError"}, result
    assert two.get("/b/").json()["version"] == "b"


def test_the_probe_would_succeed_where_it_may(two):
    """The same probe on one's own service and volume: otherwise the test above shows nothing."""
    volume = inside(two, "a", "/usr/bin/printenv", "DATA")
    result = json.loads(inside(two, "a", PYTHON, "-c", PROBE.replace("signal.SIGSTOP", "0"), str(two.healthy("a")[0]["pid"]), volume, "/none"))
    assert result["signal"] == result["volume"] == "done", result


def test_each_service_has_a_user_of_its_own_that_stays(two):
    before = {name: two.get(f"/{name}/").json()["uid"] for name in "ab"}
    assert 0 not in before.values() and before["a"] != before["b"]
    two.program("a/service.py", version="a2")
    two.up()
    two.run("down", expect=DONE)
    two.up()
    assert {name: two.get(f"/{name}/").json()["uid"] for name in "ab"} == before


def test_a_user_is_never_given_to_another_service(two):
    gone = two.get("/a/").json()["uid"]
    two.program("c/service.py", version="c")
    services = {name: two.service(f"./{name}/service.py") for name in "bc"}
    two.write_file(services=services, paths={"/b/*": {"to": "b"}, "/c/*": {"to": "c"}})
    two.up()
    assert two.get("/c/").json()["uid"] != gone


def test_services_cannot_gain_privileges(two):
    for name in "ab":
        status = dict(line.split(":", 1) for line in inside(two, name, "/bin/cat", "/proc/self/status").splitlines() if ":" in line)
        assert status["NoNewPrivs"].strip() == "1"
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0


def test_services_have_a_tmp_of_their_own(two):
    if two.status()["problems"] != two.problems():
        pytest.skip("in a chroot services share /tmp")
    inside(two, "a", "/bin/sh", "-c", "echo mine > /tmp/only-a-sees-this")
    assert "only-a-sees-this" not in inside(two, "b", "/bin/ls", "/tmp")


def test_a_service_cannot_read_the_state_or_the_logs_of_others(two):
    for path in ("control", "keys", "logs/b"):
        done = two.run("exec", "a", "--", "/bin/ls", str(two.state / path))
        assert done.status != 0, done


def test_control_and_gateway_are_not_root(two):
    wait_for(lambda: two.daemon("gateway") and two.daemon("control"), what="the daemons")
    for name in ("control", "gateway"):
        with open(f"/proc/{two.daemon(name)}/status", encoding="utf-8") as file:
            uids = next(line.split()[1:] for line in file if line.startswith("Uid:"))
        assert "0" not in uids, f"{name} runs as root"


def test_a_service_gets_nothing_that_was_not_declared_in_its_environment(two):
    names = set(two.get("/a/environment").json())
    assert not names & {"FREEHOLD_STATE", "FREEHOLD_CONFIG", "HOME_OF_THE_OPERATOR"}
    assert {"PORT", "DATA", "FREEHOLD_INSTANCE"} <= names
