"""What a program finds around it when it runs as a service."""
import os
import subprocess

import pytest
from platform_under_test import BINARY, DONE, PYTHON, REFUSED, needs_root


@needs_root("each service has a user of its own")
def test_the_user_of_a_service_has_a_name_inside_and_the_machine_keeps_its_lists(platform):
    platform.program()
    platform.write_file(services={"web": platform.service(replicas=1)})
    platform.up()
    if platform.status()["problems"] != platform.problems():
        pytest.skip("in a chroot users of services have no names")
    program = "import grp, os, pwd; me = pwd.getpwuid(os.getuid()); print(me.pw_name, me.pw_dir, grp.getgrgid(os.getgid()).gr_name)"
    done = platform.run("exec", "web", "--", PYTHON, "-c", program, expect=DONE)
    assert done.out.split() == ["freehold-web", "/tmp", "freehold-web"], done
    with open("/etc/passwd", encoding="utf-8") as names:
        assert "freehold-web" not in names.read()


def test_a_health_command_is_filled_in_as_run_is(platform):
    platform.program()
    check = ["/bin/sh", "-c", 'test "$0" = "$PORT" && test -w "$1"', "${PORT}", "${volume.data.path}"]
    platform.write_file(services={"web": platform.service(volumes={"data": {}}, health={"exec": check, "start": "5s"})})
    platform.up()
    assert len(platform.healthy()) == 1


@needs_root("to become nobody")
def test_nobody_is_told_at_once_that_he_cannot_run_a_platform(platform):
    platform.program()
    platform.write_file()
    for folder in (platform.folder, platform.home):
        os.chown(folder, 65534, 65534)
    command = [BINARY, "up", "--state", platform.folder / "other", "-c", platform.home / "freehold.yaml"]
    done = subprocess.run(command, user=65534, group=65534, extra_groups=[], env=platform.environment, capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == REFUSED and "user nobody" in done.stderr, done
    assert not (platform.folder / "other").exists()
