"""Limits hold: each is exceeded here, and the service, not the machine, notices."""
from platform_under_test import needs_root, wait_for


def limited(platform, **limits):
    platform.program()
    platform.write_file(services={"web": platform.service(limits=limits, restart={"backoff": "100ms", "crash_loop": "20/1m"})})
    platform.up()
    return platform


def test_memory_that_is_exceeded_ends_the_instance_and_says_so(platform, controllers):
    controllers("memory")
    web = limited(platform, memory="64MiB")
    before = web.healthy()[0]
    try:
        web.request("POST", "/eat?mib=200")  # not idempotent: no other instance is asked after the first has died
    except OSError:
        pass
    again = wait_for(lambda: next((one for one in web.healthy() if one["restarts"] == before["restarts"] + 1), None), what="started again")
    assert again["last_exit"]["out_of_memory"], again
    assert any("memory" in str(event) for event in web.events())


def test_memory_below_the_limit_is_left_alone(platform, controllers):
    controllers("memory")
    web = limited(platform, memory="128MiB")
    assert web.get("/eat?mib=32").status == 200
    assert web.healthy()[0]["restarts"] == 0


def test_processes_that_exceed_the_limit_are_refused(platform, controllers):
    controllers("pids")
    web = limited(platform, pids=20)
    assert 10 <= web.get("/fork?count=40").json()["forked"] < 20
    assert web.get().status == 200


def test_files_that_exceed_the_limit_are_refused(platform):
    web = limited(platform, files=64)
    assert 40 <= web.get("/open?count=200").json()["opened"] < 64
    assert web.get().status == 200


def test_cpu_is_shared_out_as_written(platform, controllers):
    controllers("cpu")
    web = limited(platform, cpu=0.25)
    used = web.get("/spin?seconds=2").json()
    assert used["cpu"] / used["wall"] < 0.4, used


@needs_root("exec enters the service's cgroup")
def test_exec_is_under_the_same_limits(platform, controllers):
    controllers("pids")
    web = limited(platform, pids=20)
    done = web.run("exec", "web", "--", "/bin/sh", "-c", "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo all")
    assert "all" not in done.out or done.status != 0, done


def test_nothing_that_a_service_started_outlives_it(platform):
    platform.program(extra="subprocess.Popen(['/bin/sleep', '299'], start_new_session=True)")
    platform.write_file(services={"web": platform.service()})
    platform.up()
    platform.run("down", expect=0)
    assert platform.processes() == {}
