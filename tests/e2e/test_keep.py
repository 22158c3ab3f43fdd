"""What the file says is kept of logs and events: it is reached, and then the oldest goes."""
from platform_under_test import DONE, wait_for

CHATTER = "import sys\nfor i in range(20000): print('line', i, 'x' * 150)\nsys.stdout.flush()"
MEGABYTE = 1 << 20
A_FILE = MEGABYTE // 16


def log_bytes(platform):
    return sum(file.stat().st_size for file in (platform.state / "logs").rglob("*.log*"))


def test_logs_and_events_are_bounded_by_the_file_over_deploys_and_a_change_restarts_nothing(platform):
    keep = {"logs": {"keep": {"size": "1MiB", "for": "1d"}}, "events": {"keep": {"count": 10}}}
    services = {"web": platform.service()}
    for version in ("1", "2"):
        platform.program(version=version, extra=CHATTER)
        platform.write_file(services=services, **keep)
        platform.up()
    newest = platform.healthy()[0]["id"]
    wait_for(lambda: any(line["line"].startswith("line 19999 ") for line in platform.logs("web")
                         if line["instance"] == newest), what="the last line that is printed")
    # Three megabytes were printed twice. The agent looks at each change, and what is written to now stays.
    platform.run("drain", newest, expect=DONE)
    wait_for(lambda: log_bytes(platform) <= MEGABYTE + 3 * A_FILE, seconds=75, what="logs within their bound")
    assert log_bytes(platform) > MEGABYTE // 2, "more went than had to"
    assert not any(line["line"].startswith("line 0 ") for line in platform.logs("web")), "the oldest is still there"

    events = platform.events()
    assert len(events) == 10
    assert [event["id"] for event in events] == list(range(events[0]["id"], events[0]["id"] + 10))

    pid = platform.instances()[0]["pid"]
    keep["logs"]["keep"]["size"] = "2MiB"
    keep["events"]["keep"] = {"count": 15, "for": "30d"}
    platform.write_file(services=services, **keep)
    plan = platform.run("plan", expect=DONE).out
    for change in ("logs.keep.size: 1MiB -> 2MiB", "events.keep.count: 10 -> 15", "events.keep.for"):
        assert change in plan, plan
    platform.up()
    assert platform.instances()[0]["pid"] == pid
    for _ in range(10):
        platform.run("plan", expect=DONE)
    assert len(platform.events()) == 15
