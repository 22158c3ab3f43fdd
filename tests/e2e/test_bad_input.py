"""Bad input gets a clear error, and nothing is lost: what ran goes on, what was stored is there."""
import os
import re
import shutil
import socket
import sqlite3
import subprocess

import pytest
from platform_under_test import BAD_FILE, DONE, FAILED, NOBODY_ANSWERS, ROLLED_BACK, USAGE, needs_root


def unharmed(web):
    """The first generation runs as before."""
    assert web.versions() == {"1"}
    assert web.status()["generation"] == 1


def test_errors_are_shown_together_with_place_line_and_near_name(web):
    web.write("freehold.yaml", f"freehold: 1\nname: {web.name}\nservices:\n  web:\n    rum: ./web\n    replicas: many\n")
    done = web.up(expect=BAD_FILE)
    assert re.search(r"freehold\.yaml:5:5", done.said) and "run" in done.said, done
    assert re.search(r"freehold\.yaml:6:15", done.said) and "^" in done.said, done
    unharmed(web)


def test_a_section_that_is_not_built_is_refused_by_name(web):
    web.write_file(web.organisation(backups={"nightly": {"of": ["volumes"]}}))
    assert "backups" in web.up(expect=BAD_FILE).said
    unharmed(web)


def test_no_file(platform):
    assert "freehold.yaml" in platform.up(expect=BAD_FILE).said


def test_unreadable_file(web):
    (web.home / "freehold.yaml").unlink()
    (web.home / "freehold.yaml").mkdir()  # root may read anything, but not this
    assert "freehold.yaml" in web.up(expect=BAD_FILE).said
    unharmed(web)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_without_permission(web):
    (web.home / "freehold.yaml").chmod(0)
    assert "ermission" in web.up(expect=BAD_FILE).said
    unharmed(web)


def test_huge_file(web):
    web.write("freehold.yaml", "# " + "x" * (5 << 20) + "\n")
    assert "MiB" in web.up(expect=BAD_FILE).said
    unharmed(web)


def test_yaml_bomb(web):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    web.write("freehold.yaml", "\n".join(lines) + "\n")
    web.run("up", expect=BAD_FILE, timeout=10)
    unharmed(web)


def test_deeply_nested_file(web):
    web.write("freehold.yaml", "[" * 200_000)
    web.run("up", expect=BAD_FILE, timeout=10)
    unharmed(web)


def test_an_include_that_is_a_link_out_of_the_folder_is_not_read(web):
    outside = web.folder / "outside.yaml"
    outside.write_text("swordfish: 1\n")
    (web.home / "more.yaml").symlink_to(outside)
    web.write_file(web.organisation(include=["./more.yaml"]))
    done = web.up(expect=BAD_FILE)
    assert "leads out" in done.said and "swordfish" not in done.said, done
    (web.home / "more.yaml").unlink()
    (web.home / "below").mkdir()
    (web.home / "below/real.yaml").write_text("services:\n  more:\n    run: /bin/sleep 9\n")
    (web.home / "more.yaml").symlink_to("below/real.yaml")
    web.run("validate", expect=DONE)
    unharmed(web)


def test_a_secrets_store_may_be_a_link_and_its_target_is_what_others_may_not_read(web):
    store = web.folder / "store.yaml"
    store.write_text("key: swordfish\n")
    (web.home / "secrets.yaml").symlink_to(store)
    web.write_file(web.organisation(secrets={"store": "./secrets.yaml"}))
    store.chmod(0o644)
    assert "chmod 600" in web.run("validate", expect=BAD_FILE).said
    store.chmod(0o600)
    web.run("validate", expect=DONE)


def test_not_utf8(web):
    web.write("freehold.yaml", b"name: \xff\xfe\n")
    web.up(expect=BAD_FILE)
    unharmed(web)


def test_missing_program(web):
    shutil.rmtree(web.home / "web")
    assert "web/service.py" in web.up(expect=BAD_FILE).said
    unharmed(web)


def test_program_that_does_not_exist_on_this_machine(web):
    file = web.organisation()
    file["services"]["web"]["run"] = ["/usr/bin/no-such-program", "--port", "${PORT}"]
    web.write_file(file)
    done = web.run("up")
    assert done.status in (BAD_FILE, ROLLED_BACK) and "no-such-program" in done.said, done
    unharmed(web)


def test_program_that_may_not_be_executed(web):
    web.write("web/plain", "#!/bin/sh\nexit 0\n", mode=0o644)
    file = web.organisation()
    file["services"]["web"]["run"] = ["./web/plain", "${PORT}"]
    web.write_file(file)
    done = web.run("up")
    assert done.status in (BAD_FILE, ROLLED_BACK) and "plain" in done.said, done
    unharmed(web)


def test_listening_port_that_is_taken(web):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = web.organisation()
        file["gateway"]["listen"] = [f"127.0.0.1:{web.port}", f"127.0.0.1:{port}"]
        web.write_file(file)
        done = web.run("up")
        assert done.status in (FAILED, ROLLED_BACK) and str(port) in done.said, done
        unharmed(web)


def test_listening_port_that_is_taken_at_the_first_start(platform):
    platform.program()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", platform.port))
        taken.listen()
        platform.write_file()
        done = platform.run("up")
        assert done.status in (FAILED, ROLLED_BACK) and str(platform.port) in done.said, done


def test_a_port_taken_at_start_is_no_crash(platform):
    """Every tenth port of the range is taken: instances get others."""
    platform.program()
    blockers = []
    try:
        for port in range(20000, 20040, 2):
            blocker = socket.socket()
            try:
                blocker.bind(("127.0.0.1", port))
                blocker.listen()
            except OSError:
                pass
            blockers.append(blocker)
        platform.write_file(services={"web": platform.service(replicas=5)})
        platform.up()
        assert [one["restarts"] for one in platform.wait_until_healthy(5)] == [0] * 5
    finally:
        for blocker in blockers:
            blocker.close()


@needs_root("a small file system is mounted")
def test_full_disk(platform):
    platform.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs", platform.state], check=True)
    try:
        platform.program()
        platform.write_file()
        platform.up()
        platform.write("web/big", os.urandom(64 << 20))
        file = platform.organisation()
        file["services"]["web"]["run"].append("./web/big")
        platform.write_file(file)
        done = platform.run("up")
        assert done.status == FAILED and ("space" in done.said or "full" in done.said), done
        unharmed(platform)
        (platform.home / "web/big").unlink()
        platform.program(version="2")
        platform.write_file()
        platform.up()
        assert platform.versions() == {"2"}, "when there is room again, it goes on"
    finally:
        platform.run("down", timeout=60)
        subprocess.run(["umount", "-l", platform.state], check=False)


def test_state_of_a_newer_version_is_refused_and_not_touched(web):
    web.run("down", expect=DONE)
    databases = sorted(web.state.rglob("*.db"))
    assert databases, "the state is in SQLite"
    for path in databases:
        with sqlite3.connect(path) as database:
            database.execute("UPDATE schema SET version = version + 1000")
        database.close()
    before = {path: path.read_bytes() for path in databases}
    done = web.run("up")
    assert done.status not in (DONE, ROLLED_BACK) and "newer" in done.said, done
    web.run("down")
    assert {path: path.read_bytes() for path in databases} == before
    for path in databases:
        with sqlite3.connect(path) as database:
            database.execute("UPDATE schema SET version = version - 1000")
        database.close()
    web.up()
    assert web.versions() == {"1"}


def test_a_state_directory_that_is_a_file(platform):
    platform.program()
    platform.write_file()
    platform.state.write_text("not a directory")
    done = platform.run("up")
    assert done.status not in (DONE, ROLLED_BACK) and str(platform.state) in done.said, done
    platform.state.unlink()


def test_nobody_answers(platform):
    for words in (["status"], ["logs", "web"], ["scale", "web", "2"]):
        assert platform.run(*words).status == NOBODY_ANSWERS, words


def test_wrong_usage_names_the_near_verb_and_f_is_only_follow(web):
    done = web.run("statsu", expect=USAGE)
    assert "status" in done.err
    web.run("up", "-f", "freehold.yaml", expect=USAGE)
    unharmed(web)


def test_an_apply_against_a_generation_that_moved_is_refused_and_two_at_once_do_not_mix(web):
    web.program(version="2")
    first = web.start("up")
    second = web.start("up")
    codes = sorted(process.wait(60) for process in (first, second))
    for process in (first, second):
        web.talk.append("".join(process.communicate()))
    assert codes[0] == DONE and codes[1] in (DONE, 4), codes
    assert web.versions() == {"2"}
