"""Jobs: programs that run by a schedule, one run at a time, started by hand, and seen to the end whatever is killed."""
import datetime
import json
import os
import re
import signal
import time

from platform_under_test import BAD_FILE, DONE, FAILED, PYTHON, REFUSED, is_alive, wait_for

# Says what it is, does what `what.txt` beside the file says at its start, and ends with the code that stands there.
NIGHTLY = """import os, pathlib, sys, time
print("version", sys.argv[1], "with", os.environ["COLOUR"], flush=True)
folder = pathlib.Path(sys.argv[2])
words = (folder / "what.txt").read_text().split()
(folder / "pid.txt").write_text(str(os.getpid()))
while words[0] == "wait" and not (folder / "go.txt").exists():
    time.sleep(0.02)
print("last words", file=sys.stderr, flush=True)
sys.exit(int(words[1]))
"""


def set_up(platform, version="1", schedule="daily 02:00", apply=True, others=None, **more):
    """A platform with nothing but jobs; the volume of the first is a folder that the test can reach."""
    shared = platform.folder / "shared"
    shared.mkdir(exist_ok=True)
    shared.chmod(0o777)
    platform.write("nightly.py", NIGHTLY)
    job = {"run": [PYTHON, "./nightly.py", version, str(shared)], "schedule": schedule, "env": {"COLOUR": "blue"},
           "volumes": {"shared": {"path": str(shared), "writers": "many"}}, "stop": {"grace": "2s"}, **more}
    platform.write_file(services={"nightly": job, **(others or {})}, paths={"/*": {"redirect": "https://coop.example/"}})
    if apply:
        platform.up()
    return shared


def job(platform, name="nightly"):
    jobs = platform.run("jobs", "-o", "json", expect=DONE).json()["jobs"]
    return next(one for one in jobs if one["name"] == name)


def kinds(platform):
    return [event["kind"] for event in platform.events("nightly") if event["kind"].startswith("job.")]


def test_a_job_is_started_by_hand_and_its_end_is_ours(platform):
    shared = set_up(platform, apply=False)
    (shared / "what.txt").write_text("go 0")
    planned = platform.run("plan", expect=DONE)
    assert "create job nightly, daily 02:00" in planned.said, planned
    platform.up()
    assert platform.status()["services"] == [], "a job is no service"
    assert "never ran" in platform.run("jobs", expect=DONE).out

    done = platform.run("run", "nightly", "-o", "ndjson", expect=DONE)
    *lines, result = [json.loads(line) for line in done.out.splitlines()]
    assert [line["line"] for line in lines] == ["version 1 with blue", "last words"]
    assert result["well"] and result["run"]["id"] == "nightly.r1", result
    assert [line["line"] for line in platform.logs("nightly.r1")] == ["version 1 with blue", "last words"]
    assert [line["instance"] for line in platform.logs("nightly")] == ["nightly.r1"] * 2

    (shared / "what.txt").write_text("go 7")
    failed = platform.run("run", "nightly")
    assert failed.status == 7 and "last words" in failed.out and "nightly.r2 ended with exit code 7" in failed.err, failed
    results = job(platform)["results"]
    assert [(one["run"]["id"], one["well"], one["code"], one["run"]["cause"]) for one in results] == [
        ("nightly.r2", False, 7, "asked"), ("nightly.r1", True, 0, "asked")]
    listed = platform.run("jobs", expect=DONE).out
    assert "daily 02:00" in listed and "ended with exit code 7" in listed and "02:00" in listed.split("daily 02:00")[1], listed
    assert "nightly.r2" in platform.run("jobs", "nightly", expect=DONE).out
    assert kinds(platform) == ["job.started", "job.done", "job.started", "job.failed"]

    assert platform.run("run", "nightli").status == REFUSED
    refused = platform.run("jobs", "nightli")
    assert refused.status == FAILED and "did you mean 'nightly'" in refused.said
    for words in (["restart", "nightly"], ["scale", "nightly", "2"], ["drain", "nightly"]):
        refused = platform.run(*words)
        assert refused.status != DONE and "is a job" in refused.said, refused


def test_a_run_goes_on_whoever_leaves_and_whatever_is_deployed(platform):
    shared = set_up(platform)
    (shared / "what.txt").write_text("wait 3")
    watching = platform.start("run", "nightly")
    running = wait_for(lambda: (shared / "pid.txt").exists() and job(platform)["run"], what="the run")
    pid = int((shared / "pid.txt").read_text())
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=20)
    assert watching.returncode == -signal.SIGINT and "nightly.r1 goes on" in err, err
    refused = platform.run("run", "nightly")
    assert refused.status == REFUSED and "one run at a time" in refused.said, refused

    # The words of a deploy are those of the next run.
    set_up(platform, version="2")
    assert is_alive(pid) and job(platform)["run"]["id"] == running["id"]
    inside = platform.run("exec", "nightly", "--", "/bin/sh", "-c", "echo $FREEHOLD_INSTANCE", expect=DONE)
    assert inside.out == "nightly.r1\n", inside

    # Killed agents adopt it, or find how it ended while none was there.
    os.kill(platform.daemon("agent"), signal.SIGKILL)
    wait_for(lambda: "job.adopted" in kinds(platform), what="an agent that takes the run over")
    assert is_alive(pid)
    (shared / "go.txt").write_text("")
    wait_for(lambda: job(platform)["results"], what="its end")
    result, = job(platform)["results"]
    assert (result["run"]["id"], result["code"]) == ("nightly.r1", 3)
    assert kinds(platform) == ["job.started", "job.adopted", "job.failed"], "recorded once"
    assert platform.run("run", "nightly").status == 3
    assert [line["line"] for line in platform.logs("nightly.r2")][0] == "version 2 with blue"


def test_down_stops_a_run(platform):
    shared = set_up(platform)
    (shared / "what.txt").write_text("wait 0")
    watching = platform.start("run", "nightly")
    wait_for((shared / "pid.txt").exists, what="the run")
    pid = int((shared / "pid.txt").read_text())
    platform.run("down", expect=DONE)
    assert not is_alive(pid)
    watching.communicate(timeout=20)
    assert watching.returncode != DONE
    platform.up()
    result, = wait_for(lambda: job(platform)["results"], what="what the agent knows of it")
    assert "not wanted any more" in result["text"], result


def test_it_runs_when_it_is_due_and_what_was_missed_is_noticed(platform, clock):
    """On a clock that is set close before a full minute, and then a day ahead while no agent is there."""
    far = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24
    shared = set_up(platform, apply=False, schedule="* * * * *", retries={"count": 1, "wait": "1s"},
                    others={"late": {"run": ["/bin/true"], "schedule": f"daily {far:02}:00", "missed": "run"}})
    (shared / "what.txt").write_text("go 1")
    clock(50 - int(time.time()) % 60)
    platform.up()
    results = wait_for(lambda: len(job(platform)["results"]) >= 2 and job(platform)["results"], 100, "a run and its retry")
    retry, first = results[-2:]
    assert (first["run"]["cause"], retry["run"]["cause"], retry["run"]["attempt"]) == ("schedule", "retry", 2)
    due = datetime.datetime.fromtimestamp(first["run"]["due"] / 1e9, datetime.timezone.utc)
    assert due.second == 0 and first["run"]["started"] - first["run"]["due"] < 30e9
    assert retry["run"]["due"] == first["run"]["due"], "for the same due time"

    (shared / "what.txt").write_text("go 0")
    daemons = {one["name"]: one["pid"] for one in platform.status()["daemons"]}
    for name in ("watcher", "agent", "control", "gateway"):
        os.kill(daemons[name], signal.SIGKILL)
    clock(24 * 3600)
    platform.up()
    missed, = wait_for(lambda: job(platform, "late")["results"], what="one run for what was missed")
    assert missed["well"] and missed["run"]["cause"] == "missed", missed
    wait_for(lambda: "job.missed" in kinds(platform), what="what was missed")
    told = next(event["message"] for event in platform.events("nightly") if event["kind"] == "job.missed")
    assert re.match(r"14\d\d runs, due from .* were missed", told), told
    # Set right again: what ran is not run a second time, and by hand it goes as ever.
    clock(0)
    platform.run("run", "late", expect=DONE)
    assert [one["run"]["cause"] for one in job(platform, "late")["results"]] == ["asked", "missed"]


def test_what_a_job_cannot_have_is_refused_by_name(platform):
    set_up(platform, apply=False, health={"http": "/"}, replicas=2, schedule="sometimes")
    refused = platform.run("validate")
    assert refused.status == BAD_FILE
    for word in ("a job has no 'health'", "a job has no 'replicas'", "cannot be 'sometimes'"):
        assert word in refused.said, refused
