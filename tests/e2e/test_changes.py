"""Changes that meet each other, or a version that will not come: what was promised to users is kept meanwhile."""
import os
import signal
import time

import pytest
from load import Load
from platform_under_test import DONE, REFUSED, ROLLED_BACK, wait_for


def deploying(platform, seconds=6, version="2", **service):
    """An `up` that takes its time: the new version sleeps before it listens."""
    platform.program(version=version, extra=f"import time as sleeper\nsleeper.sleep({seconds})")
    platform.write_file(services={"web": platform.service(replicas=2, **service)})
    process = platform.start("up")
    platform.followers.append(process)
    wait_for(lambda: platform.status().get("rollout"), what="the deploy has begun")
    return process


def test_what_comes_while_a_deploy_is_under_way_is_refused_and_told_whose_it_is(web):
    process = deploying(web)
    web.program(version="3")
    for words in (["up"], ["scale", "web", "3"], ["restart", "web"], ["drain", "web.1"], ["rollback", "1"]):
        done = web.run(*words)
        assert done.status == REFUSED and "under way since" in done.err and "generation 2" in done.err, done
    assert process.wait(60) == DONE
    assert web.versions() == {"2"}
    web.up()
    assert web.versions() == {"3"}


@pytest.mark.parametrize("replicas,batch", [(1, 1), (1, 5), (2, 10), (3, 2)])
def test_any_batch_and_number_loses_nothing(platform, replicas, batch):
    platform.program()
    service = platform.service(replicas=replicas)
    service["deploy"]["batch"] = batch
    platform.write_file(services={"web": service})
    platform.up()
    with Load(platform.port, kept=4, new=4) as load:
        most = 0
        for version in ("2", "3"):
            platform.program(version=version)
            process = platform.start("up")
            while process.poll() is None:
                most = max(most, len(platform.instances(state="healthy")))
            assert process.returncode == DONE, process.communicate()
            process.communicate()
            load.wait_for_requests(20)
    assert load.failures == [], load.report()
    assert most <= replicas + min(batch, replicas)
    assert platform.versions() == {"3"} and len(platform.healthy()) == replicas


def test_a_version_that_hangs_before_it_listens_is_taken_back_at_its_deadline(web):
    web.program(version="2", extra="import time as sleeper\nsleeper.sleep(3600)")
    service = web.service(replicas=2)
    service["deploy"] = {"deadline": "3s", "drain": "1s"}
    web.write_file(services={"web": service})
    with Load(web.port) as load:
        began = time.monotonic()
        done = web.up(expect=ROLLED_BACK)
        assert time.monotonic() - began < 20
    assert "not done within 3s" in done.out and "is starting" in done.out, done
    assert load.failures == [], load.report()
    assert web.versions() == {"1"} and len(web.instances()) == 2


def test_control_killed_again_and_again_during_one_deploy_changes_nothing_about_it(web):
    with Load(web.port) as load:
        process = deploying(web, seconds=1)
        kills = 0
        while process.poll() is None and kills < 8:
            before = web.daemon("control")
            if before is None:
                continue
            os.kill(before, signal.SIGKILL)
            kills += 1
            wait_for(lambda: web.daemon("control") not in (None, before), what="control is back")
        out, err = process.communicate(timeout=60)
        assert process.returncode == DONE, out + err
    assert kills > 1 and load.failures == [], load.report()
    assert web.versions() == {"2"} and len(web.instances()) == 2
    assert web.status()["generation"] == 2
