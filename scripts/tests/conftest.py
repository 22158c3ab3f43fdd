"""A small made-up tree for each test: the checks are run over it as make check runs them over the repository."""
import pathlib
import shutil
import subprocess
import sys

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent


class Tree:
    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        return self

    def module(self, name, cmake="", readme=None):
        """A module with one header and one source, and what more its freehold_module() says."""
        self.write(f"src/{name}/CMakeLists.txt", f"freehold_module({name.split('/')[-1]}\n  SOURCES {name.split('/')[-1]}.cc\n  {cmake})\n")
        self.write(f"src/{name}/README.md", readme or f"# {name}\nWhat {name} is for. More of it.\n")
        self.write(f"src/{name}/{name.split('/')[-1]}.h", "#pragma once\n")
        self.write(f"src/{name}/{name.split('/')[-1]}.cc", f'#include "{name}/{name.split("/")[-1]}.h"\n')
        return self

    def git(self, *words):
        subprocess.run(["git", "-C", self.root, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

    def commit(self, landed=False):
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "one")
        if landed:
            self.git("update-ref", "refs/remotes/origin/main", "HEAD")

    def run(self, script, *words):
        """-> (exit status, output)"""
        done = subprocess.run([sys.executable, SCRIPTS / script, "--root", self.root, *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def passes(self, script, *words):
        status, output = self.run(script, *words)
        assert status == 0, output
        return output

    def fails(self, script, *wanted):
        status, output = self.run(script)
        assert status == 1, f"passed, but should not: {output}"
        for text in wanted:
            assert text in output, output
        return output


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.write("scripts/style_bans.toml", (SCRIPTS / "style_bans.toml").read_text())
    shutil.copy(SCRIPTS.parent / ".clang-format", tmp_path)
    return made
