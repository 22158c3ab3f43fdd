"""A wall clock that jumps under the running platform: what runs goes on, and nothing is lost or out of order."""
import os
import signal

import platform_under_test
import pytest
from load import Load
from platform_under_test import DONE, is_alive, wait_for

DAY = 24 * 3600


@pytest.mark.parametrize("seconds", [DAY, -DAY, 400 * DAY], ids=["a day ahead", "a day back", "beyond a year"])
def test_a_jump_of_the_clock_costs_nothing(platform, clock, seconds):
    platform.program()
    services = {"web": platform.service(replicas=2, restart={"backoff": "200ms", "most": "1s"})}
    platform.write_file(services=services)
    platform.up()
    platform.get("/")
    before = {one["id"]: one["pid"] for one in platform.healthy()}
    newest = platform.events()[-1]["id"]
    with Load(platform.port) as load:
        clock(seconds)
        load.wait_for_requests(100)
        assert {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)} == before, "nothing was restarted"
        platform.program(version="2")
        platform.up()
        assert platform.versions() == {"2"}, "an apply takes its lease as ever"
        victim = platform.wait_until_healthy(2)[0]
        os.kill(victim["pid"], signal.SIGKILL)
        wait_for(lambda: victim["pid"] not in {one["pid"] for one in platform.healthy()} and len(platform.healthy()) == 2,
                 10, "a restart after its back-off")
        clock(0)
        load.wait_for_requests(100)
        platform.program(version="3")
        platform.up()
        assert platform.versions() == {"3"}, "and when the clock is set right again"
    assert load.failures == [], load.report()

    events = platform.events()
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids)) and ids[-1] > newest, "ordered by id, whatever their times"
    times = [event["time"] for event in events]
    assert times != sorted(times), "the clock did jump"
    started = [event for event in events if event["kind"] == "instance.started" and event["actor"] == "agent"]
    assert len(started) == 2 + 2 + 1 + 2, started


def test_daemons_that_start_at_another_time_take_over_as_ever(platform, clock):
    platform.program()
    platform.write_file()
    platform.up()
    before = {one["id"]: one["pid"] for one in platform.healthy()}
    clock(-DAY)
    daemons = {one["name"]: one["pid"] for one in platform.status()["daemons"]}
    for name in ("agent", "control", "gateway"):
        os.kill(daemons[name], signal.SIGKILL)
    wait_for(lambda: all(not is_alive(pid) for name, pid in daemons.items() if name != "watcher"), what="the daemons end")
    wait_for(lambda: platform.run("status").status == DONE, what="the daemons are back")
    assert {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)} == before, "adopted"
    platform.program(version="2")
    platform.up()
    assert platform.versions() == {"2"}


def test_an_apply_that_was_interrupted_before_a_jump_does_not_hold_up_the_next(platform, clock):
    """The lease of the control that was killed ends by itself, however far its times are from now."""
    platform.program()
    platform.write_file()
    platform.up()
    platform.program(version="2")
    apply = platform.start("up")
    wait_for(lambda: len(platform.instances()) > 2, what="the deploy is under way")
    os.kill(platform.daemon("control"), signal.SIGKILL)
    clock(-DAY)
    apply.communicate(timeout=120)
    wait_for(lambda: platform.run("status").status == DONE, what="control is back")
    platform.program(version="3")
    wait_for(lambda: platform.run("up").status == DONE, 60, "the next apply goes through")
    assert platform.versions() == {"3"}


def test_logs_since_a_moment_after_a_jump(platform, clock):
    platform.write("talk.py", "import time\nfor i in range(10): print('line', i, flush=True)\ntime.sleep(1000)\n")
    platform.write_file(services={"talk": {"run": [platform_under_test.PYTHON, "./talk.py"]}},
                        paths={"/*": {"redirect": "https://coop.example/"}})
    platform.up()
    wait_for(lambda: len(platform.logs("talk")) == 10, what="ten lines")
    assert len(platform.logs("talk", "--since", "10m")) == 10
    clock(DAY)
    assert platform.logs("talk", "--since", "10m") == [], "they are a day old now"
    assert len(platform.logs("talk", "--since", "25h")) == 10
    clock(-DAY)
    assert len(platform.logs("talk", "--since", "10m")) == 10, "from the future, and so after that moment"
    assert len(platform.logs("talk")) == 10


def test_doctor_says_that_the_clock_cannot_be_right(platform, clock):
    platform.write_file()
    clock(-40 * 365 * DAY)
    said = platform.run("doctor").said
    assert "clock" in said and "set the clock" in said, said
