"""Starting, port by port and kill by kill: whatever comes in between, each instance runs exactly once."""
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

from load import Load
from platform_under_test import DONE, PROGRAMS, PYTHON, is_alive, needs_root, wait_for

KILLS = int(os.environ.get("FREEHOLD_KILLS", "10"))  # the watcher waits longer after each: fifty take four minutes
SEED = int(os.environ.get("FREEHOLD_SEED", random.randrange(1 << 30)))


def agent_of(platform):
    """Without asking the platform, which may be down."""
    words = os.fsencode(f"daemon\0agent\0{platform.state}\0")
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if words in (folder / "cmdline").read_bytes() and is_alive(int(folder.name)):
                return int(folder.name)
        except OSError:
            continue
    return None


def copies(platform):
    """Of everything that runs: pid -> instance. The environment is what tells: it is there from exec on, and nobody forks."""
    found, mark = {}, f"MARK={platform.name}".encode()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        instance = next((one for one in variables if one.startswith(b"FREEHOLD_INSTANCE=")), None)
        if mark in variables and instance and is_alive(int(folder.name)):
            found[int(folder.name)] = instance.decode().split("=")[1]
    return found


def test_an_agent_killed_at_every_moment_of_a_start_leaves_no_orphan_and_no_second_copy(platform):
    """The agent is killed while instances come and go; at no moment may one run twice."""
    chance = random.Random(SEED)
    print(f"FREEHOLD_SEED={SEED}")
    fast = {"backoff": "50ms", "most": "100ms", "crash_loop": "100000/1m"}
    # These end all the time, so that some start is always under way.
    services = {f"short{i}": {"run": ["/bin/sleep", f"0.{i + 1}"], "env": {"MARK": platform.name}, "restart": fast} for i in range(3)}
    platform.write_file(services=services, paths={"/*": {"redirect": "https://coop.example/"}})
    up = platform.start("up")  # they never become healthy for long: how it ends is not the question
    wait_for(lambda: copies(platform), what="the first start")
    for _ in range(KILLS):
        victim = wait_for(lambda: agent_of(platform), what="an agent")
        until = time.monotonic() + chance.uniform(0, 0.25)
        while time.monotonic() < until:
            running = list(copies(platform).values())
            assert len(running) == len(set(running)), f"twice: {running}"
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
        wait_for(lambda gone=victim: not is_alive(gone), what="the agent ends")
    wait_for(lambda: agent_of(platform) and platform.run("status").status == DONE, what="the platform is back")
    up.kill()
    up.communicate()
    # Everything that runs is known: its instance is in the status with that process.
    def known():
        seen = {one["id"]: one["pid"] for service in platform.status()["services"] for one in service["instances"]}
        return all(name in seen for name in copies(platform).values())
    wait_for(known, what="every copy belongs to an instance")


def test_a_port_that_is_taken_between_choice_and_start_costs_no_crash(platform):
    """A thief listens on the port that the instance was given, before its program does: once for each instance."""
    platform.program()
    # Says which port it got, and waits for the answer; only at the first start of an instance.
    platform.write("web/asks.sh", """#!/bin/sh
if mkdir "$MEETING/$FREEHOLD_INSTANCE" 2>/dev/null; then
  echo "$PORT" > "$MEETING/$FREEHOLD_INSTANCE/port.new" && mv "$MEETING/$FREEHOLD_INSTANCE/port.new" "$MEETING/$FREEHOLD_INSTANCE/port"
  while [ ! -e "$MEETING/$FREEHOLD_INSTANCE/taken" ]; do sleep 0.02; done
fi
exec "$@"
""", 0o755)
    service = platform.service(replicas=2, volumes={"meeting": {"writers": "many"}}, env={"MEETING": "${volume.meeting.path}"},
                               restart={"backoff": "30s", "most": "30s", "crash_loop": "2/10m"})
    service["run"] = ["./web/asks.sh", *service["run"]]
    platform.write_file(services={"web": service})
    up = platform.start("up")
    meeting = platform.state / "volumes" / "web" / "meeting"
    thieves = {}
    try:
        def steal():
            for place in meeting.glob("*/port"):
                if place not in thieves:
                    thieves[place] = thief = socket.socket()
                    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    thief.bind(("127.0.0.1", int(place.read_text())))
                    thief.listen()
                    (place.parent / "taken").touch()
            return up.poll() is not None
        wait_for(steal, 60, what="the deploy ends")
        out, err = up.communicate()
        assert up.returncode == DONE, out + err
        stolen = {int(place.read_text()) for place in thieves}
        assert len(stolen) == 2
        assert not stolen & {one["port"] for one in platform.wait_until_healthy(2)}
        events = platform.events()
        assert sum("was taken by another program" in event["message"] for event in events) == 2
        assert not any(event["kind"] == "instance.crash-looping" for event in events)
    finally:
        for thief in thieves.values():
            thief.close()


def test_a_service_that_is_given_its_socket_loses_nothing(platform):
    """Deploys, a kill of an instance and one of the agent; the program needs half a second before it accepts."""
    def write(version, **more):
        platform.write("web/given.py", (PROGRAMS / "given.py").read_text().replace('VERSION = "1"', f'VERSION = "{version}"'))
        service = platform.service("./web/given.py", replicas=2, listen="sockets", **more)
        service["run"] = [PYTHON, "./web/given.py"]
        platform.write_file(services={"web": service})
    write("1")
    platform.up()
    answer = platform.get("/").json()
    assert answer["version"] == "1" and answer["name"] == "web"
    with Load(platform.port) as load:
        write("2", restart={"backoff": "100ms", "crash_loop": "50/1m"})
        platform.up()
        assert platform.versions() == {"2"}
        victim = platform.healthy()[0]["pid"]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: victim not in {one["pid"] for one in platform.instances()}, what="a new process")
        before = {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)}
        agent = platform.daemon("agent")
        os.kill(agent, signal.SIGKILL)
        wait_for(lambda: (platform.daemon("agent") or agent) != agent, what="a new agent")
        assert {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)} == before, "adopted"
        load.wait_for_requests(50)
    assert load.failures == [], load.report()
    variables = platform.run("exec", "web", "--", "env", expect=DONE).out
    assert "LISTEN_" not in variables and "PORT=" in variables
    # Without a health check there is nothing to wait for but the program's being there: what comes early waits.
    service = {"run": [PYTHON, "./web/given.py"], "listen": "sockets", "deploy": {"drain": "5s", "deadline": "30s"}}
    with Load(platform.port) as load:
        platform.write_file(services={"web": service})
        platform.up()
        load.wait_for_requests(50)
    assert load.failures == [], load.report()


@needs_root("a small file system is mounted")
def test_an_agent_that_is_killed_on_a_full_disk_comes_back(platform):
    platform.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs", platform.state], check=True)
    ballast = platform.state / "ballast"
    try:
        platform.program()
        platform.write_file()
        platform.up()
        before = {one["id"]: one["pid"] for one in platform.healthy()}
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        victim = platform.daemon("agent")
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: (platform.daemon("agent") or victim) != victim, what="a new agent")
        assert {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)} == before, "adopted"
        assert platform.versions() == {"1"}
        ballast.unlink()
        platform.program(version="2")
        platform.up()
        assert platform.versions() == {"2"}, "when there is room again, it goes on"
    finally:
        ballast.unlink(missing_ok=True)
        platform.run("down", timeout=60)
        subprocess.run(["umount", "-l", platform.state], check=False)


def test_a_health_command_that_never_ends_leaves_no_zombie(platform):
    platform.program()
    check = {"exec": ["/bin/sh", "-c", "sleep 1000"], "every": "100ms", "timeout": "100ms", "start": "1h"}
    platform.write_file(services={"web": platform.service(health=check, deploy={"deadline": "1h", "drain": "1s"})})
    up = platform.start("up")
    wait_for(lambda: platform.run("status").status == DONE and platform.instances(), what="an instance")
    agent = platform.daemon("agent")
    seen = set()

    def commands():
        children = pathlib.Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
        seen.update(children)
        return len(seen) > 20
    wait_for(commands, 60, "twenty checks")
    states = [pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
              for child in pathlib.Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]
    up.kill()
    up.communicate()
    assert states.count("Z") <= 1, f"{states}"


def test_a_stranger_that_answers_on_its_port_makes_no_instance_healthy(platform):
    """Somebody else's program is first on the port of an instance that still starts up, and answers its health check."""
    gate = platform.folder / "gate"
    platform.program(version="2")
    platform.write("web/late.py", "import os, sys, time\nwhile not os.path.exists(sys.argv[1]):\n    time.sleep(0.05)\n"
                                  "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])\n")
    words = [PYTHON, "./web/late.py", str(gate), "./web/service.py", "--port", "${PORT}"]
    platform.write_file(services={"web": platform.service(run=words)})
    up = platform.start("up")
    first = wait_for(lambda: platform.state.exists() and platform.run("status").status == DONE
                     and (platform.instances(state="starting") or [{}])[0].get("port"), 60, "an instance that starts")
    stranger = subprocess.Popen([PYTHON, PROGRAMS / "service.py", "--port", str(first)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: [one for one in platform.instances() if one["port"] not in (0, first)], 30, "another port")
        assert platform.healthy() == []
        assert platform.service_status()["state"] == "starting"
        gate.touch()
        out, err = up.communicate(timeout=60)
        assert up.returncode == DONE, out + err
        assert platform.versions() == {"2"}
    finally:
        stranger.kill()
        stranger.wait()
