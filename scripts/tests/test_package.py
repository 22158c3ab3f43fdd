"""scripts/package: the same binaries make the same package, on whatever machine; and what is in it."""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ["freehold", "freehold-keeper"]
PARTS = ["packaging", "scripts/package", "docs", "examples", "CHANGELOG.md", "CMakeLists.txt", ".gitignore"]


def make(root, output, umask=0o022, **environment):
    done = subprocess.run([root / "scripts/package", "--build", ROOT / "build/release", "--output", output], umask=umask, check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment})
    return pathlib.Path(done.stdout.strip())


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    assert all((ROOT / "build/release" / name).is_file() for name in PROGRAMS), "build/release is not built: run make"
    return make(ROOT, tmp_path_factory.mktemp("package"))


def listed(package):
    """path -> (mode, owner, time)"""
    lines = subprocess.run(["dpkg-deb", "--contents", package], check=True, text=True, stdout=subprocess.PIPE, env={"TZ": "UTC", "PATH": os.environ["PATH"]}).stdout
    rows = [line.split(maxsplit=5) for line in lines.splitlines()]
    return {row[5].split(" -> ")[0]: (row[0], row[1], f"{row[3]} {row[4]}") for row in rows}


def test_is_the_same_from_another_path_time_umask_and_locale(package, tmp_path):
    other = tmp_path / "elsewhere, much deeper" / "tree"
    subprocess.run(["git", "-c", f"safe.directory={ROOT}/.git", "clone", "-q", "--shared", "--no-checkout", ROOT, other], check=True)
    # What is here and not committed yet belongs to both; copies get another time and the umask's modes.
    for part in PARTS:
        (other / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, other / part)
    subprocess.run(["git", "-C", other, "add", "docs", "examples"], check=True)
    again = make(other, tmp_path / "out", umask=0o077, LC_ALL="tr_TR.UTF-8", TZ="Asia/Kathmandu", HOME=str(tmp_path), USER="somebody")
    assert again.name == package.name
    assert again.read_bytes() == package.read_bytes()


def test_holds_nothing_of_whoever_made_it(package):
    files = listed(package)
    assert {owner for _, owner, _ in files.values()} == {"root/root"}
    assert len({time for _, _, time in files.values()}) == 1
    assert {mode for mode, _, _ in files.values()} <= {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"}
    assert not [path for path in files if "secrets.yaml" in path], "secrets of a run here"


@pytest.mark.parametrize("path", [
    "usr/bin/freehold", "usr/lib/freehold/freehold", "usr/lib/freehold/freehold-keeper", "etc/freehold/", "usr/share/man/man1/freehold.1.gz",
    "usr/share/bash-completion/completions/freehold", "usr/share/zsh/vendor-completions/_freehold", "usr/share/fish/vendor_completions.d/freehold.fish",
    "usr/share/doc/freehold/examples/quickstart/freehold.yaml", "usr/share/doc/freehold/operations/install.md", "lib/systemd/system/freehold-agent.service"])
def test_has(package, path):
    assert f"./{path}" in listed(package)


def test_its_units_are_understood(package, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    units = sorted((tmp_path / "lib/systemd/system").iterdir())
    # The manual page, the programs and the users are those of a machine where it is installed.
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units], text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "SYSTEMD_LOG_LEVEL": "warning"})
    said = [line for line in done.stderr.splitlines() if "is not executable" not in line and "freehold" in line]
    assert said == []


def test_scripts_are_sh_without_a_fault(package, tmp_path):
    subprocess.run(["dpkg-deb", "--control", package, tmp_path], check=True)
    for name in ["postinst", "prerm", "postrm"]:
        subprocess.run(["dash", "-n", tmp_path / name], check=True)
