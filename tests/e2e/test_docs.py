"""The commands of the pages for users, as they stand there: they work, and print what the page says."""
import re
import shutil
import subprocess

import pytest
from platform_under_test import BINARY, ROOT, wait_for

FILE = re.compile(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


def commands(page):
    """-> [(command, what it is to print)] of the indented lines; `#` is read where two spaces or more stand before it."""
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    lines = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    return [tuple(part.strip() for part in (re.split(r"\s{2,}#", line, maxsplit=1) + [""])[:2]) for line in lines]


def shell(platform, command):
    environment = {**platform.environment, "FREEHOLD_STATE": str(platform.state)}
    environment["PATH"] = f"{BINARY.parent}:{environment['PATH']}"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=platform.home, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    platform.talk.append(done.stdout)
    return done


def test_the_page_on_ones_own_program_can_be_followed(platform):
    page = (ROOT / "docs/user/first.md").read_text().replace("8090", str(platform.port)).replace("name: first", f"name: {platform.name}")
    files = FILE.findall(page)
    assert [name for name, _ in files] == ["server.py", "freehold.yaml"]
    for name, text in files:
        platform.write(name, text)
    steps = commands(page)
    assert len(steps) > 10
    for command, wanted in steps:
        said = None

        # A log line and an event arrive a moment after what they tell of.
        def prints():
            nonlocal said
            said = shell(platform, command)
            return said.returncode == 0 and wanted in said.stdout

        if command.split()[:2] in (["freehold", "logs"], ["freehold", "events"]):
            wait_for(prints, what=command)
        else:
            assert prints(), f"{command} -> {said.returncode}\n{said.stdout}"


@pytest.mark.parametrize("page", ["README.md", "examples/quickstart/README.md"])
def test_what_a_page_says_to_try_with_the_quickstart_works(platform, page):
    shutil.copytree(ROOT / "examples/quickstart", platform.home, dirs_exist_ok=True)
    platform.write("secrets.yaml", "seal: of-the-test\n", mode=0o600)
    file = platform.home / "freehold.yaml"
    text = file.read_text()
    assert "listen: 127.0.0.1:8080" in text and "name: quickstart" in text
    file.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{platform.port}").replace("name: quickstart", f"name: {platform.name}"))
    platform.up()
    tried = []
    for command, _ in commands((ROOT / page).read_text()):
        if command.startswith("$EDITOR"):
            file.write_text(file.read_text().replace("GREETING: Hello", "GREETING: Good day"))
        elif command.startswith("freehold "):
            done = shell(platform, command.replace("logs -f", "logs"))
            assert done.returncode == 0, f"{command} -> {done.returncode}\n{done.stdout}"
            tried.append(command)
    assert "freehold rollback" in tried and "freehold status" in tried


def test_the_page_on_leaving(web):
    tried = 0
    for command, wanted in commands((ROOT / "docs/operations/leaving.md").read_text()):
        done = shell(web, command)
        assert done.returncode == 0 and wanted in done.stdout, f"{command} -> {done.returncode}\n{done.stdout}"
        tried += 1
    assert tried == 3
