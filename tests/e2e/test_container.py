"""Root as containers have it: without the capability to mount."""
import shutil
import subprocess

import pytest
from platform_under_test import BINARY, DONE, needs_root


@needs_root("what root lacks in a container is taken from it")
def test_root_that_may_not_mount_runs_services_and_says_what_that_costs(platform):
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not there to take the capability away")
    platform.program()
    platform.write_file()
    up = subprocess.run([setpriv, "--bounding-set", "-sys_admin", BINARY, "up"], cwd=platform.home, capture_output=True, text=True,
                        env={**platform.environment, "FREEHOLD_STATE": str(platform.state)}, timeout=60, check=False)
    assert up.returncode == DONE, up.stdout + up.stderr
    assert platform.get("/").json()["uid"] != 0
    assert "a container that may not mount" in " ".join(platform.status()["problems"])
    assert platform.run("exec", "web", "--", "id", "-u", expect=DONE).out.strip() != "0"
