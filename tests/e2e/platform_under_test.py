"""One organisation run by the real binary, for one test: its folder, its state, its commands, and a clean end.

Looks at the platform only as a user can: commands, status -o json, HTTP, files and processes of the machine.
"""
import dataclasses
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
BINARY = pathlib.Path(os.environ.get("FREEHOLD", ROOT / "build/release/freehold"))
PYTHON = "/usr/bin/python3"

DONE, FAILED, CHANGES, BAD_FILE, REFUSED, NOBODY_ANSWERS, ROLLED_BACK, USAGE = 0, 1, 2, 3, 4, 5, 6, 64


@dataclasses.dataclass
class Done:
    """What a command did."""
    words: tuple
    status: int
    out: str
    err: str

    @property
    def said(self):
        return self.out + self.err

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"freehold {' '.join(map(str, self.words))} -> {self.status}\n{self.out}{self.err}"


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def free_port():
    """A port that nobody has, outside of what instances and outgoing connections are given."""
    for _ in range(100):
        port = random.randint(12000, 18999)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def wait_for(condition, seconds=30, what="the condition", every=0.05):
    """Polls until condition() gives something true, and gives that; fails with the last value otherwise."""
    until, value = time.monotonic() + seconds, None
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"{what}: not within {seconds} s; last: {value!r}")


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state not in "ZX"
    except OSError:
        return False


def needs_root(reason):
    return pytest.mark.skipif(os.geteuid() != 0, reason=f"needs root: {reason}")


class Platform:
    def __init__(self, user=None):
        """user: a pwd entry; its commands are run by that one, and it owns the folder. Takes root."""
        # Root: services have a /tmp and a /var/tmp of their own, so what they are to read lies elsewhere.
        base = os.environ.get("FREEHOLD_TEST_FOLDER", "/var/lib" if os.geteuid() == 0 else "/var/tmp")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="freehold-e2e-", dir=base))
        self.folder.chmod(0o755)
        self.home, self.state = self.folder / "home", self.folder / "state"
        self.home.mkdir()
        self.name = f"e2e-{self.folder.name[-8:].replace('_', 'x').lower()}"
        self.port = free_port()
        self.binary = BINARY
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "NO_COLOR": "1"}
        self.talk = []  # everything that commands printed, for the tests that look for what must not be there
        self.followers = []
        self.caller = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            os.chown(self.home, user.pw_uid, user.pw_gid)

    # ---- the organisation's file ------------------------------------------------------------------------------------
    def write(self, path, text, mode=0o644):
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            target.write_bytes(text)
        else:
            target.write_text(text)
        target.chmod(mode)
        return target

    def program(self, path="web/service.py", version="1", healthy=True, extra=""):
        text = (PROGRAMS / "service.py").read_text()
        text = text.replace('VERSION = "1"', f'VERSION = "{version}"{chr(10)}{extra}').replace("HEALTHY = True", f"HEALTHY = {healthy}")
        return self.write(path, text)

    def service(self, path="./web/service.py", *words, **more):
        """A service as it stands in the file, with a health check that is quick enough for tests."""
        made = {"run": [PYTHON, path, "--port", "${PORT}", *words],
                "health": {"http": "/health", "every": "1s", "timeout": "1s", "start": "20s"},
                "deploy": {"drain": "5s", "deadline": "30s"}}
        made.update(more)
        return made

    def organisation(self, services=None, paths=None, routes=None, **more):
        made = {"freehold": 1, "name": self.name,
                "services": services if services is not None else {"web": self.service(replicas=2)},
                "gateway": {"listen": f"127.0.0.1:{self.port}"},
                "routes": routes or [{"host": "*", "paths": paths or {"/*": {"to": "web"}}}]}
        made.update(more)
        return made

    def write_file(self, organisation=None, **more):
        """JSON is YAML too."""
        return self.write("freehold.yaml", json.dumps(organisation or self.organisation(**more), indent=1))

    # ---- commands ---------------------------------------------------------------------------------------------------
    def start(self, *words, **more):
        return subprocess.Popen([self.binary, *map(str, words)], cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True,
                                env={**self.environment, "FREEHOLD_STATE": str(self.state), **more.pop("environment", {})}, **self.caller, **more)

    def run(self, *words, expect=None, timeout=120, **more):
        process = self.start(*words, **more)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"freehold {' '.join(map(str, words))} did not end within {timeout} s\n{out}{err}") from None
        done = Done(words, process.returncode, out, err)
        self.talk.append(done.said)
        if expect is not None:
            assert done.status == expect, f"expected exit {expect}: {done}"
        return done

    def up(self, expect=DONE, **more):
        return self.run("up", expect=expect, **more)

    def status(self):
        return self.run("status", "-o", "json", expect=DONE).json()

    def problems(self):
        """What the platform cannot do as asked, but for what a chroot as the place of the tests costs."""
        return [problem for problem in self.status()["problems"] if not problem.startswith("this is a chroot")]

    def service_status(self, name="web"):
        return next((service for service in self.status()["services"] if service["name"] == name), {"name": name, "instances": []})

    def instances(self, name="web", state=None):
        return [one for one in self.service_status(name)["instances"] if state is None or one["state"] == state]

    def healthy(self, name="web"):
        return self.instances(name, "healthy")

    def daemon(self, name):
        """The pid of control, gateway, agent or watcher; None while there is none."""
        try:
            return next((one["pid"] for one in self.status()["daemons"] if one["name"] == name and is_alive(one["pid"])), None)
        except AssertionError:
            return None

    def events(self, *words):
        return [json.loads(line) for line in self.run("events", "-o", "ndjson", "-n", "10000", *words, expect=DONE).out.splitlines()]

    def logs(self, service, *words):
        return [json.loads(line) for line in
                self.run("logs", service, "-o", "ndjson", "-n", "100000", *words, expect=DONE).out.splitlines()]

    def wait_until_healthy(self, count, name="web", seconds=30):
        return wait_for(lambda: len(self.healthy(name)) >= count and self.healthy(name), seconds, f"{count} healthy instances of {name}")

    # ---- as a visitor -----------------------------------------------------------------------------------------------
    def request(self, method, path, body=None, headers=None, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path="/", **more):
        return self.request("GET", path, **more)

    def versions(self, requests=12):
        """Which versions answer."""
        return {self.get().json()["version"] for _ in range(requests)}

    # ---- the end ----------------------------------------------------------------------------------------------------
    def close(self):
        """Down, and then nothing may be left: no process, no cgroup, no port. -> what was left."""
        left = []
        for follower in self.followers:
            follower.kill()
            follower.wait()
        if self.state.exists():
            done = self.run("down", timeout=60)
            if done.status not in (DONE, NOBODY_ANSWERS):
                left.append(str(done))
            deadline = time.monotonic() + 5
            while (processes := self.processes()) and time.monotonic() < deadline:
                time.sleep(0.05)
            for pid, words in processes.items():
                left.append(f"process {pid}: {words}")
                os.kill(pid, signal.SIGKILL)
            left += [f"cgroup {path}" for path in self.cgroups()]
        return left

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self):
        """pid -> command line, of everything that has to do with this platform."""
        found, mark = {}, str(self.folder).encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            if int(folder.name) == os.getpid():
                continue
            try:
                words = (folder / "cmdline").read_bytes()
                if mark in words + (folder / "environ").read_bytes() or os.fsencode(os.readlink(folder / "cwd")).startswith(mark):
                    if is_alive(int(folder.name)):
                        found[int(folder.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue
        return found

    def cgroups(self):
        found = []
        for folder, names, _ in os.walk("/sys/fs/cgroup"):
            found += [os.path.join(folder, name) for name in names if self.name in name]
            if folder.count("/") > 9:
                names.clear()
        return found
