"""From the version before to this one and back: its binaries, its state, its keepers. scripts/previous builds it."""
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import pytest
from load import Load
from platform_under_test import BINARY, DONE, ROOT, wait_for

PROGRAMS = ["freehold-keeper", "freehold"]
PREVIOUS = pathlib.Path(subprocess.run([ROOT / "scripts/previous", "--where"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip())

pytestmark = pytest.mark.skipif(not (PREVIOUS / "freehold").exists(), reason="the version before is not built here: scripts/previous does it")


def install(platform, source):
    """Puts the programs into place as a package does: the new file under its name, whoever runs the old one keeps it."""
    platform.binary.parent.mkdir(exist_ok=True)
    for name in PROGRAMS:
        shutil.copy(source / name, platform.binary.parent / f"{name}.new")
        (platform.binary.parent / f"{name}.new").rename(platform.binary.parent / name)


def restart(platform, name):
    before = platform.daemon(name)
    os.kill(before, signal.SIGTERM)
    wait_for(lambda: (platform.daemon(name) or before) != before, what=f"the next {name}")


def replace(platform, source):
    """The upgrade of docs/operations/install.md where there is no systemd."""
    install(platform, source)
    for name in ["agent", "control", "gateway", "watcher"]:
        restart(platform, name)


@pytest.fixture
def before(platform):
    """Two instances under the version before."""
    platform.binary = platform.folder / "bin/freehold"
    install(platform, PREVIOUS)
    platform.program()
    platform.write_file()
    platform.up()
    return platform


def processes(platform):
    return {one["id"]: one["pid"] for one in platform.wait_until_healthy(2)}


def test_an_upgrade_under_load_costs_no_request_and_no_instance(before):
    was = processes(before)
    with Load(before.port) as load:
        replace(before, BINARY.parent)
        load.wait_for_requests(100)
        assert processes(before) == was, "adopted with their keepers, not started anew"
    assert load.failures == [], load.report()
    assert before.problems() == []
    with Load(before.port) as load:
        before.program(version="2")
        before.up()
        assert before.versions() == {"2"}
        before.run("rollback", expect=DONE)
        assert before.versions() == {"1"}, "the generation that the version before wrote"
    assert load.failures == [], load.report()


def test_a_downgrade_is_refused_once_the_state_has_moved_on(before):
    replace(before, BINARY.parent)
    was = processes(before)
    databases = sorted(before.state.rglob("*.db"))
    # As the next step of the schema would leave it: versions of a schema only grow.
    move_on(databases, 1000)
    install(before, PREVIOUS)
    restart_into_refusal(before)
    done = before.run("up", timeout=60)
    assert done.status != DONE and "newer" in done.said, done
    assert before.get().status == 200, "what runs goes on"
    move_on(databases, -1000)
    install(before, BINARY.parent)
    wait_for(lambda: before.daemon("control"), 30, "control of this version")
    assert processes(before) == was


def move_on(databases, steps):
    for path in databases:
        database = sqlite3.connect(path, timeout=10)
        with database:
            database.execute("UPDATE schema SET version = version + ?", (steps,))
        database.close()


def restart_into_refusal(platform):
    """The agent first: it lays out the program that control is started from."""
    control = platform.daemon("control")
    restart(platform, "agent")
    os.kill(control, signal.SIGTERM)
    wait_for(lambda: platform.run("status").status != DONE, what="control refuses")
