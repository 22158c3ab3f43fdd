"""What the tests in the guest have in common: one machine for all of them, in the order of a machine's life."""
import pathlib
import subprocess

import pytest
from machine import Machine

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
E2E = ROOT / "tests/e2e"


def make_package(output, *words):
    return pathlib.Path(subprocess.run([ROOT / "scripts/package", "--output", output, *words], check=True, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip())


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    with Machine() as made:
        made.copy(make_package(tmp_path_factory.mktemp("package")), "/srv/freehold.deb")
        # A later version of the same: what an upgrade does, without another build.
        made.copy(make_package(tmp_path_factory.mktemp("later"), "--version", "99.0"), "/srv/later.deb")
        made.run("mkdir -p /srv/test")
        for program in [E2E / "load.py", E2E / "programs/service.py"]:
            made.copy(program, f"/srv/test/{program.name}")
        made.copy(pathlib.Path(__file__).parent / "programs", "/srv/test/programs")
        yield made


@pytest.fixture(autouse=True)
def tell(request, machine):
    """What the daemons said, when a test failed."""
    yield
    result = getattr(request.node, "result_call", None)
    if result is not None and result.failed:
        print(machine.run("journalctl --no-pager -n 60 -u 'freehold*'; freehold status", expect=None))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"result_{call.when}", outcome.get_result())
