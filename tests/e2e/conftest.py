"""What the end-to-end tests have in common. They run the release binary; without it they fail, they are not skipped."""
import os
import pathlib

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


@pytest.fixture
def controllers(platform):
    """Skips unless this machine's cgroups can limit what the test exceeds."""
    def need(name):
        version_two = pathlib.Path("/sys/fs/cgroup/cgroup.controllers")
        there = name in version_two.read_text().split() if version_two.exists() else pathlib.Path("/sys/fs/cgroup", name).is_dir()
        if os.geteuid() != 0 or not there:
            pytest.skip(f"needs root and the cgroup controller {name}")
    return need
