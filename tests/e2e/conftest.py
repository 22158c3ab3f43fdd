"""What the end-to-end tests have in common. They run the release binary; without it they fail, they are not skipped."""
import os
import pathlib
import shutil
import subprocess

import api_doorman
import api_tools
import platform_under_test
import pytest


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert platform_under_test.BINARY.is_file(), f"{platform_under_test.BINARY} is not built: run make"
    return platform_under_test.BINARY


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"result_{call.when}", outcome.get_result())


@pytest.fixture
def platform(request):
    """A Platform; its folder is kept and named when the test fails, its processes never are."""
    made = platform_under_test.Platform()
    yield made
    left = made.close()
    result = getattr(request.node, "result_call", None)
    if result is not None and result.failed:
        print(f"kept: {made.folder}")
        for log in sorted(pathlib.Path(made.state).rglob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
    else:
        made.remove()
    assert left == [], "left behind after down"


@pytest.fixture
def web(platform):
    """Two instances of version 1 behind the gateway, up and healthy."""
    platform.program()
    platform.write_file()
    platform.up()
    return platform


@pytest.fixture(scope="session")
def judge():
    """Holds answers of the API against its description, with Prism where there is npm."""
    made = api_doorman.Judge(with_prism=api_tools.are_there())
    yield made
    made.close()


@pytest.fixture
def controllers(platform):
    """Skips unless this machine's cgroups can limit what the test exceeds."""
    def need(name):
        version_two = pathlib.Path("/sys/fs/cgroup/cgroup.controllers")
        there = name in version_two.read_text().split() if version_two.exists() else pathlib.Path("/sys/fs/cgroup", name).is_dir()
        if os.geteuid() != 0 or not there:
            pytest.skip(f"needs root and the cgroup controller {name}")
    return need


@pytest.fixture
def clock(platform):
    """Sets how far off the platform's wall clock is, in seconds.

    The machine's own clock is left alone. A copy of the program is linked to a library that moves the wall clock alone;
    its keepers are static, so the times in the services' logs stay the machine's: as if printed before a jump.
    """
    for tool in ("patchelf", "cc"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}, to give a copy of the program another clock")
    tools, offset = platform.folder / "tools", platform.folder / "offset"
    tools.mkdir()
    offset.write_text("0")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", f'-DOFFSET_FILE="{offset}"', "-o", tools / "clock.so",
                    platform_under_test.PROGRAMS / "shifted_clock.c"], check=True)
    for name in ("freehold", "freehold-keeper"):
        shutil.copy(platform_under_test.BINARY.parent / name, tools / name)
    subprocess.run(["patchelf", "--add-needed", tools / "clock.so", tools / "freehold"], check=True)
    platform.binary = tools / "freehold"

    def jump(seconds):
        replaced = offset.with_suffix(".new")
        replaced.write_text(str(seconds))
        replaced.rename(offset)
    return jump
