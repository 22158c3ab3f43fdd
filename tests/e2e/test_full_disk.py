"""The disk under the whole platform is full: an apply says so and leaves nothing behind, what runs goes on, what was
acknowledged is there, and with room again the next apply works."""
import os
import signal
import subprocess

import pytest
from platform_under_test import DONE, FAILED, Platform, needs_root, wait_for

pytestmark = needs_root("a small file system is mounted")


class FullDisk:
    """A platform whose state lies on a file system of its own, that can be filled to the last byte."""

    def __init__(self, platform):
        self.platform = platform
        self.filler = platform.state / "filler"

    def fill(self):
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self):
        self.filler.unlink()


@pytest.fixture
def full_disk(platform):
    platform.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m,mode=755", "tmpfs", platform.state], check=True)
    platform.program()
    platform.write_file()
    platform.up()
    disk = FullDisk(platform)
    yield disk
    disk.filler.unlink(missing_ok=True)
    platform.run("down", timeout=60)
    subprocess.run(["umount", "-l", platform.state], check=False)


def current(platform: Platform):
    return [one["number"] for one in platform.run("history", "-o", "json", expect=DONE).json() if one["status"] == "current"]


def says_there_is_no_room(done):
    return "room" in done.said or "space" in done.said


def test_an_apply_on_a_full_disk_fails_and_the_next_one_with_room_works(full_disk):
    platform = full_disk.platform
    full_disk.fill()
    platform.program(version="2")
    done = platform.run("up")
    assert done.status == FAILED and says_there_is_no_room(done), done
    assert platform.versions() == {"1"} and len(platform.healthy()) == 2
    assert current(platform) == [1]
    full_disk.free()
    platform.up()
    assert platform.versions() == {"2"} and current(platform) == [2]
    platform.run("rollback", expect=DONE)
    assert platform.versions() == {"1"}, "the old contents are whole"


def test_a_disk_that_fills_up_during_a_rollout_holds_it_up_and_no_more(full_disk):
    platform = full_disk.platform
    platform.program(version="2")
    up = platform.start("up")
    wait_for(lambda: len(platform.instances()) > 2, what="a new instance", every=0.01)
    full_disk.fill()
    with pytest.raises(subprocess.TimeoutExpired):
        up.wait(timeout=5)
    assert platform.versions() <= {"1", "2"}, "somebody answers each request"
    full_disk.free()
    out, err = up.communicate(timeout=90)
    assert up.returncode == DONE, out + err
    assert platform.versions() == {"2"} and current(platform) == [2]


def test_control_that_dies_on_a_full_disk_takes_nothing_along(full_disk):
    platform = full_disk.platform
    before = {one["id"] for one in platform.wait_until_healthy(2)}
    full_disk.fill()
    os.kill(platform.daemon("control"), signal.SIGKILL)
    assert platform.versions() == {"1"}
    done = platform.run("up")
    assert done.status != DONE
    assert platform.versions() == {"1"}
    full_disk.free()
    wait_for(lambda: platform.run("status").status == DONE, what="control again")
    assert {one["id"] for one in platform.wait_until_healthy(2)} == before
    platform.program(version="2")
    wait_for(lambda: platform.run("up").status == DONE, seconds=60, what="an apply")
    assert platform.versions() == {"2"}
