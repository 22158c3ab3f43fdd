"""The lock on changes: who holds it, for what, and ending what does not end by itself."""
from platform_under_test import DONE, FAILED, NOBODY_ANSWERS, REFUSED, USAGE, wait_for


def lock(platform):
    return platform.run("lock", "status", "-o", "json", expect=DONE).json()


def test_a_rollout_that_does_not_end_is_ended_where_it_stands(web):
    assert lock(web)["held"] is False and "nobody holds" in web.run("lock", "status", expect=DONE).out
    assert "nothing was done" in web.run("lock", "release", expect=DONE).out
    web.program(version="2", healthy=False)
    stuck = web.start("up")
    web.followers.append(stuck)
    held = wait_for(lambda: lock(web)["held"] and lock(web))
    assert held["lives"] and held["what"].startswith("apply of generation 2 by ") and held["who"] and held["left"] > 0, held
    assert held["holder"].startswith("control ") and held["since"] <= held["renewed"], held
    shown = web.run("lock", "status", expect=DONE).out
    assert "held for: apply of generation 2" in shown and "goes on with it" in shown, shown

    refused = web.run("lock", "release", expect=REFUSED)
    assert "under way since" in refused.err and "--force" in refused.err, refused
    assert lock(web)["held"] and stuck.poll() is None

    assert "apply of generation 2" in web.run("lock", "release", "--force", expect=DONE).out
    said = stuck.communicate(timeout=20)
    assert stuck.returncode == FAILED and "released the lock" in said[0] + said[1], said
    assert lock(web)["held"] is False
    released = [event for event in web.events() if event["kind"] == "lock.released"]
    assert len(released) == 1 and released[0]["actor"] == held["who"] and "generation 2" in released[0]["message"], released
    # What ran still does, and what comes next is measured against it.
    assert web.versions() == {"1"}
    assert [one["status"] for one in web.run("history", "-o", "json", expect=DONE).json()][:2] in (["failed", "current"], ["current", "failed"])
    web.program(version="3")
    web.up()
    assert web.versions() == {"3"}


def test_where_no_control_answers_the_lock_is_looked_at_and_not_released(web):
    web.run("down", expect=DONE)
    done = web.run("lock", "status", expect=DONE)
    assert "nobody holds" in done.out and "nothing answers" in done.err, done
    assert "takes over" in web.run("lock", "release", expect=NOBODY_ANSWERS).err


def test_wrong_words(platform):
    assert "'steal'" in platform.run("lock", "steal", expect=USAGE).err
    assert "--force" in platform.run("lock", "status", "--force", expect=USAGE).err
