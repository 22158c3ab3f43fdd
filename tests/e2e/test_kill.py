"""Whatever is killed, users notice as little as can be: nothing that runs dies with the platform, and it comes back."""
import json
import os
import re
import signal

import pytest
from load import Load
from platform_under_test import DONE, is_alive, wait_for


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), what=f"process {pid} ends")


def test_five_killed_instances_cost_no_idempotent_request(platform):
    platform.program()
    platform.write_file(services={"web": platform.service(replicas=3, restart={"backoff": "100ms", "crash_loop": "50/1m"})})
    platform.up()
    with Load(platform.port) as load:
        for _ in range(5):
            victim = platform.wait_until_healthy(3)[0]["pid"]
            kill(victim)
            wait_for(lambda gone=victim: gone not in {one["pid"] for one in platform.instances()}, what="a new process")
        platform.wait_until_healthy(3)
        load.wait_for_requests(50)
    assert load.failures == [], load.report()


@pytest.mark.parametrize("name", ["control", "agent", "watcher"])
def test_a_killed_daemon_costs_no_request_and_no_instance(web, name):
    before = {one["id"]: one["pid"] for one in web.healthy()}
    victim = web.daemon(name)
    assert victim, f"status names no {name}"
    with Load(web.port) as load:
        kill(victim)
        wait_for(lambda: (web.daemon(name) or victim) != victim, what=f"a new {name}")
        load.wait_for_requests(100)
        assert {one["id"]: one["pid"] for one in web.wait_until_healthy(2)} == before, "adopted, not started anew"
        web.program(version="2")
        web.up()
        assert web.versions() == {"2"}, "and it works as before"
    assert load.failures == [], load.report()


def test_a_killed_gateway_costs_only_what_was_in_flight(web):
    before = {one["pid"] for one in web.healthy()}
    victim = web.daemon("gateway")
    with Load(web.port, retry="always") as load:
        kill(victim)
        load.wait_for_requests(100)
        wait_for(lambda: (web.daemon("gateway") or victim) != victim, what="a new gateway")
    assert load.failures == [], load.report()
    assert load.repeated <= load.kept + load.new, "each connection repeats at most once"
    assert {one["pid"] for one in web.healthy()} == before


def test_all_daemons_killed_at_once_leave_services_running(web):
    before = {one["id"]: one["pid"] for one in web.healthy()}
    daemons = [one["pid"] for one in web.status()["daemons"]]
    for pid in daemons:
        os.kill(pid, signal.SIGKILL)
    assert all(is_alive(pid) for pid in before.values())
    web.up()
    assert {one["id"]: one["pid"] for one in web.wait_until_healthy(2)} == before


def test_more_listeners_than_one_message_holds_are_all_handed_over_and_taken_back(platform):
    """Each service has an address of its own; two hundred without instances cost nothing else."""
    platform.program()
    platform.write_file(services={"web": platform.service()} | {f"s{number}": platform.service(replicas=0) for number in range(200)})
    platform.up()
    assert platform.get("/").status == 200
    victim = platform.daemon("agent")
    with Load(platform.port) as load:
        kill(victim)
        wait_for(lambda: (platform.daemon("agent") or victim) != victim, what="the next agent")
        load.wait_for_requests(200)
    assert load.failures == [], load.report()
    assert platform.problems() == []


def keeper_of(pid):
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def test_a_killed_keeper_has_a_defined_end(web):
    victim = web.healthy()[0]
    keeper = keeper_of(victim["pid"])
    with open(f"/proc/{keeper}/cmdline", "rb") as file:
        assert b"freehold" in file.read()
    with Load(web.port) as load:
        kill(keeper)
        wait_for(lambda: not is_alive(victim["pid"]), what="the instance ends, too")
        wait_for(lambda: victim["pid"] not in {one["pid"] for one in web.healthy()}, what="its end is known")
        web.wait_until_healthy(2)
    assert load.failures == [], load.report()


def test_no_log_line_is_lost_while_there_is_no_agent(platform):
    platform.program()
    platform.write_file(services={"web": platform.service("./web/service.py", "--count-lines", "0.005")})
    platform.up()
    for _ in range(3):
        victim = platform.daemon("agent")
        kill(victim)
        wait_for(lambda gone=victim: (platform.daemon("agent") or gone) != gone, what="a new agent")

    def numbers():
        return [int(found.group(1)) for line in platform.logs("web") if (found := re.search(r"line (\d+)", json.dumps(line)))]

    seen = wait_for(lambda: (now := numbers()) and len(now) > 100 and now, what="more than 100 lines")
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_how_an_instance_ended_while_there_was_no_agent_is_known(web):
    victim = web.healthy()[0]
    agent, watcher = web.daemon("agent"), web.daemon("watcher")
    for pid in (watcher, agent):
        os.kill(pid, signal.SIGKILL)
    os.kill(victim["pid"], signal.SIGKILL)
    web.up()
    web.wait_until_healthy(2)
    again = next(one for one in web.instances() if one["id"] == victim["id"])
    assert again["last_exit"]["signal"] == signal.SIGKILL and again["restarts"] == 1


def test_a_crash_loop_is_a_state_and_an_event_and_not_a_spinning_cpu(platform):
    platform.program()
    platform.write_file(services={"web": platform.service(restart={"backoff": "50ms", "most": "10s", "crash_loop": "3/1m"})})
    platform.up()
    for _ in range(3):
        pid = platform.wait_until_healthy(1)[0]["pid"]
        kill(pid)
    wait_for(lambda: platform.instances(state="crash-looping"), what="crash-looping")
    assert any("crash" in json.dumps(event) for event in platform.events())
    assert platform.instances()[0]["restarts"] <= 4


def test_sick_instances_get_no_requests(web):
    sick = web.get("/sick").json()["instance"]
    wait_for(lambda: [one["id"] for one in web.instances(state="unhealthy")] == [sick], what="unhealthy")
    with Load(web.port, expect=lambda headers, body: sick.encode() not in body) as load:
        load.wait_for_requests(100)
    assert load.failures == [], load.report()


def test_an_interrupted_deploy_is_resumed_or_undone_and_says_which(web):
    web.program(version="2")
    with Load(web.port) as load:
        process = web.start("up")
        wait_for(lambda: len(web.instances()) > 2, what="the rollout has begun", every=0.01)
        kill(web.daemon("control"))
        process.communicate(timeout=60)
        wait_for(lambda: web.daemon("control") and not web.status().get("rollout"), 60, "the rollout ends")
        versions = web.versions()
    assert versions in ({"1"}, {"2"})
    assert load.failures == [], load.report()
    assert any("resum" in json.dumps(event) or "undo" in json.dumps(event) for event in web.events())


def test_after_a_reboot_everything_declared_comes_back_in_order_and_no_old_process_is_believed(platform):
    """The boot id is forged; a real reboot is for the tests in the guest. No command: what starts the daemons at boot
    is the service manager."""
    platform.program()
    platform.write_file(services={"a": platform.service(needs=["b"], replicas=2), "b": platform.service()},
                        paths={"/*": {"to": "a"}})
    platform.up()
    old = {one["pid"] for name in "ab" for one in platform.healthy(name)}
    before = platform.events()[-1]["id"]

    def all_gone():
        """Again and again: agent and watcher start each other for as long as one of them is there."""
        left = platform.processes()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        return not left
    wait_for(all_gone, what="everything is gone")
    platform.environment["FREEHOLD_BOOT_ID"] = "00000000-0000-4000-8000-000000000001"
    watcher = platform.start("daemon", "watcher", platform.state, start_new_session=True)
    wait_for(lambda: platform.run("status").status == DONE, what="control answers")
    new = {one["pid"] for one in platform.wait_until_healthy(2, "a") + platform.healthy("b")}
    assert len(new) == 3 and new.isdisjoint(old)
    assert platform.versions() == {"1"}

    def told(kind, subject):
        return next(one["id"] for one in platform.events("--after", str(before)) if (one["kind"], one["subject"]) == (kind, subject))
    assert told("instance.healthy", "b.1") < min(told("instance.started", "a.1"), told("instance.started", "a.2"))
    platform.run("down", expect=DONE)
    watcher.communicate(timeout=10)
