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


@pytest.mark.parametrize("page", ["first-hour", "when-down", "upgrade", "leaving"])
def test_the_commands_of_a_page_for_operators(platform, page):
    """On a platform that is up, unless the page brings it up itself. Logs and events arrive a moment after what they tell of."""
    platform.program()
    platform.write_file()
    steps = commands((ROOT / f"docs/operations/{page}.md").read_text())
    assert len(steps) >= 3
    if page != "first-hour":
        platform.up()
    for command, wanted in steps:
        wait_for(lambda: prints(platform, command, wanted), 20, f"{command} to print {wanted!r}; the last: {platform.talk[-1:]}")


def prints(platform, command, wanted):
    done = shell(platform, command)
    return done.returncode == 0 and wanted in done.stdout


def test_the_tests_that_pages_for_operators_name_are_there():
    there = {name for path in (ROOT / "tests/e2e").glob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}
    for path in (ROOT / "src").rglob("*_test.cc"):
        there |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", path.read_text(), re.MULTILINE)}
    named = {(page.name, name) for page in (ROOT / "docs/operations").glob("*.md")
             for name in re.findall(r"`(test_\w+|[A-Z]\w+\.[A-Z]\w+)`", page.read_text())}
    assert len(named) > 30
    assert [one for one in sorted(named) if one[1] not in there] == []


def test_the_page_on_exit_codes_has_those_of_the_program():
    program = re.search(r"enum ExitCode.*?\{(.*?)\};", (ROOT / "src/cli/invocation.h").read_text(), re.DOTALL).group(1)
    page = re.findall(r"^\| (\d+) \|", (ROOT / "docs/user/exit-codes.md").read_text(), re.MULTILINE)
    assert sorted(page) == sorted(re.findall(r"= (\d+),", program))


def test_the_example_for_who_comes_from_compose_runs(platform):
    page = (ROOT / "docs/user/coming-from.md").read_text()
    file = re.search(r"is this `freehold.yaml`:\n\n```yaml\n(.*?)```", page, re.DOTALL).group(1)
    platform.write("freehold.yaml", file.replace("8090", str(platform.port)).replace("name: coop", f"name: {platform.name}"))
    platform.program("app/app.py")
    platform.up()
    assert platform.get("/").json()["version"] == "1"


def test_what_the_page_on_backups_says_works(platform):
    platform.program()
    platform.write_file(services={"web": platform.service(replicas=1, volumes={"data": {}})})
    platform.up()
    places = {"/var/lib/freehold/town-hall": platform.state, "/var/lib/freehold/lost": platform.folder / "lost"}
    steps = commands((ROOT / "docs/operations/backup.md").read_text())
    assert len(steps) > 12
    for command, wanted in steps:
        for place, here in places.items():
            command = command.replace(place, str(here))
        if command.startswith("age ") and not shutil.which("age"):
            continue
        done = shell(platform, command)
        assert done.returncode == 0 and wanted in done.stdout, f"{command} -> {done.returncode}\n{done.stdout}"
    assert platform.versions() == {"1"}
