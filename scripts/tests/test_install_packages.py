"""scripts/install_packages against a made-up apt-get and dpkg-query: nothing of the machine is touched."""
import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "install_packages"


class Machine:
    """What is installed is a file; apt-get adds to it, unless a test wrote another apt-get."""

    def __init__(self, folder):
        self.folder, self.policy = folder, folder / "policy-rc.d"
        self.installed = folder / "installed"
        self.installed.write_text("bash\n")
        self.called = folder / "called"
        self.clusters = folder / "clusters"
        self.program("dpkg-query", f'[ "$1" = -W ] || exit 0\nsed "s/$/ installed/" {self.installed}')
        self.program("apt-cache", "exit 0")
        self.apt("exit 0")

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def apt(self, text, installs=True):
        wanted = f'case "$*" in *install*) for p; do case $p in -*|install) ;; *) echo $p >>{self.installed} ;; esac; done ;; esac' if installs else ""
        self.program("apt-get", f'echo "$@" >>{self.called}\n[ -x {self.policy} ] && {self.policy} nginx start; echo "policy $?" >>{self.called}\n{wanted}\n{text}')

    def run(self, *packages):
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "FREEHOLD_POLICY_FILE": str(self.policy),
                       "FREEHOLD_INSTALL_LOCK": str(self.folder / "bin" / "lock"),
                       "FREEHOLD_CLUSTERS_FOLDER": str(self.clusters)}
        done = subprocess.run([SCRIPT, "--as-root", *packages], env=environment, capture_output=True, text=True)
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_installs_without_recommends_and_lets_no_daemon_start(machine):
    assert machine.run("nginx-light") == (0, "")
    called = machine.called.read_text()
    assert "install --no-install-recommends -- nginx-light" in called and "policy 101" in called
    assert not machine.policy.exists()


def test_believes_what_is_installed_and_not_the_exit_status_of_apt(machine):
    machine.apt("exit 100")
    assert machine.run("curl")[0] == 0
    machine.apt("exit 0", installs=False)
    status, said = machine.run("wrk")
    assert status == 1 and "could not install: wrk" in said


@pytest.mark.parametrize("ends", ["exit 100", "kill -TERM $PPID; sleep 0.2; exit 1"])
def test_puts_back_another_policy_also_when_it_fails(machine, ends):
    machine.policy.write_text("#!/bin/sh\nexit 0\n")
    machine.policy.chmod(0o755)
    machine.apt(ends, installs=False)
    assert machine.run("wrk")[0] != 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert sorted(path.name for path in machine.folder.iterdir()) == ["bin", "called", "installed", "policy-rc.d"]


def test_leaves_a_policy_alone_that_forbids_already(machine):
    machine.policy.write_text("#!/bin/sh\nexit 101\n")
    machine.policy.chmod(0o755)
    before = machine.policy.stat()
    assert machine.run("curl")[0] == 0
    assert machine.policy.stat().st_ino == before.st_ino


def test_mends_what_a_killed_run_left(machine):
    machine.policy.write_text("#!/bin/sh\n# Put here for a moment by Freehold: no daemon starts during its installs.\nexit 101\n")
    (machine.folder / "policy-rc.d.before-freehold").write_text("#!/bin/sh\nexit 0\n")
    assert machine.run("curl")[0] == 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_postgresql_makes_no_cluster_of_its_own_and_may_again_afterwards(machine):
    machine.apt(f"echo clusters $(grep -v '^#' {machine.clusters}/*.conf) >>{machine.called}")
    assert machine.run("postgresql-15") == (0, "")
    assert "clusters create_main_cluster = false" in machine.called.read_text()
    assert not machine.clusters.exists()


def test_the_settings_of_a_person_for_clusters_stay(machine):
    machine.clusters.mkdir()
    (machine.clusters / "own.conf").write_text("start_conf = 'manual'\n")
    assert machine.run("postgresql-15") == (0, "")
    assert [path.name for path in machine.clusters.iterdir()] == ["own.conf"]


def test_every_list_gives_a_reason_for_each_package():
    lists = sorted((SCRIPT.parent.parent / "packages").glob("*.txt"))
    assert [path.stem for path in lists] == ["build", "guest", "measure", "office", "package", "run", "test"]
    for path in lists:
        for line in path.read_text().splitlines():
            assert line.startswith("#") or len(line.split("#")[1].strip()) > 3, f"{path.name}: {line}"
