"""What is said of a state while nobody answers for it: read, never written, and never planned against nothing."""
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess

from platform_under_test import BINARY, CHANGES, DONE, FAILED, NOBODY_ANSWERS, REFUSED, USAGE, needs_root, wait_for


def files_of(folder):
    """Every file of control but what SQLite makes for whoever reads."""
    return {path: path.read_bytes() for path in (folder / "control").rglob("*")
            if path.is_file() and not path.name.endswith(("-shm", "-wal"))}


def kill_everything(platform):
    for name in ("watcher", "agent", "control", "gateway"):
        if pid := platform.daemon(name):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: platform.run("status").status == NOBODY_ANSWERS, what="no control")


def test_plan_without_daemons_compares_with_what_was_applied(web):
    web.run("down", expect=DONE)
    before = files_of(web.state)
    web.program(version="2")
    plan = web.run("plan", expect=DONE)
    assert "generation 1" in plan.err and "not looked at" in plan.err, plan
    assert "create web" in plan.out, "everything is stopped, and up starts it"
    assert "Routes" not in plan.out and "Gateway" not in plan.out, f"those are applied already: {plan}"
    told = web.run("plan", "-o", "json", expect=DONE).json()
    assert (told["current"], told["observed"]) == (1, False)
    assert files_of(web.state) == before
    web.up()
    assert web.versions() == {"2"}


def test_exit_codes_of_plan_without_daemons(web):
    kill_everything(web)
    assert web.run("plan", "--detailed-exitcode").status == DONE, "nothing changed, killed or not"
    web.program(version="2")
    assert web.run("plan", "--detailed-exitcode").status == CHANGES
    web.write("freehold.yaml", "nonsense")
    assert web.run("plan", "--detailed-exitcode").status == FAILED
    web.write_file()
    web.up()


def test_history_and_diff_without_daemons(web):
    web.program(version="2")
    web.up()
    online = [(one["number"], one["status"]) for one in web.run("history", "-o", "json", expect=DONE).json()]
    diff = web.run("diff", "1", "2", expect=DONE).out
    web.run("down", expect=DONE)
    assert [(one["number"], one["status"]) for one in web.run("history", "-o", "json", expect=DONE).json()] == online
    assert web.run("diff", "1", "2", expect=DONE).out == diff
    assert web.run("diff", "1", "9").status == FAILED
    assert web.run("diff", "1", "two").status == USAGE


def test_a_secret_that_did_not_change_is_no_change_without_daemons(platform):
    platform.program()
    platform.write("secrets.yaml", "key: swordfish-1\n", mode=0o600)
    file = platform.organisation(secrets={"store": "./secrets.yaml"})
    file["services"]["web"]["env"] = {"KEY": "${secret.key}"}
    platform.write_file(file)
    platform.up()
    kill_everything(platform)
    assert platform.run("plan", "--detailed-exitcode").status == DONE
    platform.write("secrets.yaml", "key: swordfish-2\n", mode=0o600)
    plan = platform.run("plan", "--detailed-exitcode", expect=CHANGES)
    assert "new value" in plan.out and "swordfish" not in plan.said, plan
    platform.up()


def test_an_apply_that_was_interrupted_is_said(web):
    web.program(version="2", healthy=False)
    up = web.start("up")
    wait_for(lambda: web.status().get("rollout"), what="a rollout")
    kill_everything(web)
    up.kill()
    up.communicate()
    assert "interrupted" in web.run("plan", expect=DONE).err
    web.program(version="1")
    assert web.run("up").status in (DONE, REFUSED), "it goes on with that first"
    web.run("down", expect=DONE)


def test_nothing_was_ever_applied(platform):
    platform.program()
    platform.write_file()
    plan = platform.run("plan", "--detailed-exitcode", expect=CHANGES)
    assert "against nothing" in plan.err and "create web" in plan.out
    assert not platform.state.exists(), "a plan makes no state"
    assert platform.run("history").status == NOBODY_ANSWERS


def test_a_state_of_a_newer_version_is_not_planned_against_nothing(web):
    web.run("down", expect=DONE)
    with sqlite3.connect(web.state / "control/state.db") as database:
        database.execute("UPDATE entries SET value = CAST('99' AS BLOB) WHERE key = CAST('control/format' AS BLOB)")
    database.close()
    for words in (["plan"], ["history"], ["diff", "1", "1"], ["up"]):
        done = web.run(*words)
        assert done.status not in (DONE, CHANGES) and "newer" in done.said, done
    with sqlite3.connect(web.state / "control/state.db") as database:
        database.execute("UPDATE entries SET value = CAST('2' AS BLOB) WHERE key = CAST('control/format' AS BLOB)")
    database.close()
    web.up()


def test_a_damaged_state_is_named_and_nothing_is_planned(web):
    web.run("down", expect=DONE)
    path = web.state / "control/state.db"
    whole = path.read_bytes()
    path.write_bytes(b"no database" * 1000)
    done = web.run("plan")
    assert done.status == FAILED and "state.db is damaged" in done.said, done
    path.write_bytes(whole)
    web.up()


@needs_root("somebody else is to look")
def test_a_state_that_this_person_may_not_read(web):
    web.run("down", expect=DONE)
    nobody = pwd.getpwnam("nobody")
    program = shutil.copy(BINARY, web.folder)  # the tree may lie where nobody else may go
    done = subprocess.run([program, "plan", "--state", web.state], cwd=web.home, user=nobody.pw_uid, group=nobody.pw_gid,
                          extra_groups=[], env={**web.environment, "HOME": "/nonexistent"}, capture_output=True, text=True, check=False)
    assert done.returncode == REFUSED and "ermission" in done.stderr and "create" not in done.stdout, done
    web.up()
