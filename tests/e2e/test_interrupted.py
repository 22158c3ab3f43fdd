"""kill -9 of the platform's processes at any moment of an apply: its caller learns how it ended, and what is current is what
runs."""
import os
import random
import signal
import subprocess

from platform_under_test import DONE, wait_for

KILLS = 30


def kill(platform, name):
    if pid := platform.daemon(name):
        os.kill(pid, signal.SIGKILL)


def test_thirty_kills_at_random_moments_of_applies(web):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(KILLS):
        version = str(number + 2)
        web.program(version=version)
        up = web.start("up")
        try:
            up.wait(timeout=chance.uniform(0, 2.5))
        except subprocess.TimeoutExpired:
            pass
        victim = chance.choice(["control", "control", "control", "agent", "gateway"])
        kill(web, victim)
        out, err = up.communicate(timeout=90)
        web.talk.append(out + err)
        if up.returncode != DONE:
            # Killed before it was accepted: refused with an error, and nothing of it was done.
            assert "generation" not in out or "done" not in out, out + err
            assert err, "an error is said"
            wait_for(lambda: web.run("up").status == DONE, seconds=60, what=f"the apply of {version} after a kill of {victim}")
        wait_for(lambda: web.run("status").status == DONE, what=f"control after a kill of {victim}")
        status = web.status()
        history = web.run("history", "-o", "json", expect=DONE).json()
        assert [one["number"] for one in history if one["status"] == "current"] == [status["generation"]], history
        assert not [one for one in history if one["status"] in ("applying", "pending")], history
        assert wait_for(lambda: web.versions(4) == {version}, what=f"version {version} after a kill of {victim}")
    wait_for(lambda: len(web.healthy()) == 2 == len(web.instances()), what="two instances and none left over")
