"""Looking at what goes on: streams that outlive control, the gateway's log, many services, output that nobody takes."""
import json
import os
import signal
import subprocess
import threading

import pytest
from platform_under_test import BINARY, DONE, FAILED, NOBODY_ANSWERS, USAGE, wait_for
from terminal import Terminal


def lines_of(process):
    """A list that grows with what the process prints."""
    got = []
    threading.Thread(target=lambda: got.extend(json.loads(line) for line in iter(process.stdout.readline, "")), daemon=True).start()
    return got


def kill_control(platform):
    before = platform.daemon("control")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: platform.daemon("control") not in (None, before), what="control is back")


def test_services_may_be_called_what_our_own_parts_are_called(platform):
    platform.program()
    platform.write_file(services={name: platform.service() for name in ("gateway", "platform")}, paths={"/*": {"to": "gateway"}})
    platform.up()
    assert platform.get("/").status == 200
    for name in ("gateway", "platform"):
        assert {line["service"] for line in platform.logs(name)} == {name}
    wait_for(lambda: len(platform.run("logs", "--access", "-o", "ndjson", expect=DONE).out.splitlines()) == 1, what="its line")


def test_followed_events_go_on_over_a_restart_of_control(web):
    web.followers.append(following := web.start("events", "-f", "-o", "ndjson", "-n", "3"))
    got = lines_of(following)
    wait_for(lambda: len(got) == 3, what="the last three")
    for version in ("2", "3"):
        kill_control(web)
        web.program(version=version)
        web.up()
    last = web.events()[-1]["id"]
    wait_for(lambda: got[-1]["id"] >= last, what="all events")
    ids = [event["id"] for event in got]
    assert ids == list(range(ids[0], ids[0] + len(ids))), "a gap, or one twice"


def test_followed_logs_go_on_over_restarts_of_control_and_agent_and_a_removal(web):
    web.followers.append(following := web.start("logs", "-f", "-o", "ndjson", "web"))
    got = lines_of(following)
    said = []

    def say(count):
        for _ in range(count):
            said.append(f"line-{len(said)}-")
            web.get(f"/say?text={said[-1]}")

    say(20)
    kill_control(web)
    say(20)
    os.kill(web.daemon("agent"), signal.SIGKILL)
    say(20)
    web.program(version="2")
    web.up()
    say(20)
    # Instances' lines are in order, each for itself: the last that was said need not come last.
    found = lambda: [text for line in list(got) for text in said if text in line["line"]]
    wait_for(lambda: len(found()) >= len(said), what="all lines")
    assert sorted(found()) == sorted(said), "a gap, or one twice"
    web.program("other/service.py")
    web.write_file(services={"other": web.service("./other/service.py")}, paths={"/*": {"to": "other"}})
    web.up()
    assert following.poll() is None and any(said[0] in line["line"] for line in web.logs("web")), "its logs stay"
    web.run("down", expect=DONE)
    assert following.wait(20) == NOBODY_ANSWERS


def test_a_service_that_is_not_there_has_no_logs(web):
    done = web.run("logs", "wev", "-f")
    assert done.status == FAILED and "did you mean 'web'?" in done.err


def test_logs_since_a_moment_are_all_of_them(web):
    for number in range(300):
        web.get(f"/say?text=many-{number}-")
    wait_for(lambda: len([line for line in web.logs("web") if "many-" in line["line"]]) == 300, what="all lines")
    since = [json.loads(line) for line in web.run("logs", "web", "--since", "10m", "-o", "ndjson", expect=DONE).out.splitlines()]
    assert len([line for line in since if "many-" in line["line"]]) == 300
    assert len(web.run("logs", "web", expect=DONE).out.splitlines()) == 200


def test_the_gateways_access_log_is_a_log(platform):
    platform.program()
    platform.program("other/service.py")
    platform.write("site/index.html", "home")
    platform.write_file(services={"web": platform.service(), "other": platform.service("./other/service.py")},
                        paths={"/*": {"to": "web"}, "/other/*": {"to": "other"}, "/site/*": {"files": "./site"}})
    platform.up()
    platform.followers.append(following := platform.start("logs", "--access", "-f", "-o", "ndjson"))
    got = lines_of(following)
    for path in ("/one?secret=1", "/other/two", "/site/index.html", "/other/three"):
        platform.get(path)
    wait_for(lambda: len(got) >= 4, what="four requests")
    kill_control(platform)
    platform.get("/four")
    wait_for(lambda: len(got) >= 5, what="the fifth")
    assert [line["path"] for line in got] == ["/one", "/other/two", "/site/index.html", "/other/three", "/four"]
    assert len({line["request"] for line in got}) == 5 and {line["status"] for line in got} == {200}
    mine = [json.loads(line) for line in platform.run("logs", "--access", "other", "-n", "1", "-o", "ndjson", expect=DONE).out.splitlines()]
    assert [line["path"] for line in mine] == ["/other/three"]
    instance = mine[0]["instance"]
    told = platform.run("logs", "--access", instance, expect=DONE).out
    assert len(told.splitlines()) == 2 and f"{instance}" in told and " 200 GET " in told and "/other/two" in told
    assert platform.run("logs", "--access", "--since", "2020-01-01T00:00:00Z", expect=DONE).out.count("\n") == 5


def test_status_is_watched_in_its_place_and_costs_nothing_while_nothing_happens(web):
    terminal = Terminal([BINARY, "status", "--watch"], 120, 30, cwd=web.home,
                        environment={**web.environment, "FREEHOLD_STATE": str(web.state), "TERM": "xterm"})
    try:
        terminal.until(lambda screen: "2/2" in screen)
        requests = lambda: web.run("status", "-o", "json").json() and _requests(web)
        before = requests()
        terminal.until(lambda screen, until=[60]: until.__setitem__(0, until[0] - 1) or until[0] <= 0)
        assert requests() - before <= 3, "it asks again and again"
        web.run("scale", "web", "3", expect=DONE)
        terminal.until(lambda screen: "3/3" in screen)
        kill_control(web)
        terminal.until(lambda screen: "web.3" in screen and "as it was last" not in screen)
        assert all(frame.count("SERVICE") <= 1 for frame in terminal.frames)
        terminal.press(b"\x03")
        assert terminal.wait(10) == -signal.SIGINT
    finally:
        terminal.process.kill()
        terminal.process.wait()


def _requests(platform):
    from test_api import api_itself, ask
    text = ask(api_itself(platform), "GET", "/metrics")[2].decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("freehold_api_requests_total"))


def test_output_that_nobody_takes(web):
    environment = {**web.environment, "FREEHOLD_STATE": str(web.state)}
    for words in (["events", "-n", "1000"], ["status"], ["logs"], ["doctor"], ["history"], ["--help"], ["events", "-f"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([BINARY, *words], cwd=web.home, env=environment, stdout=write, stderr=subprocess.PIPE, timeout=20)
        os.close(write)
        assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b""), words
    for words in (["events"], ["status"], ["status", "-o", "json"], ["history"], ["--help"], ["--version"], ["validate"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, *words], cwd=web.home, env=environment, stdout=full, stderr=subprocess.PIPE, timeout=20)
        assert done.returncode == FAILED and b"No space left" in done.stderr, (words, done)


@pytest.mark.parametrize("words,said", [
    (["stauts"], "did you mean 'freehold status'?"), (["frobnicate"], "is no verb"), ([], "verb"), (["up", "--forground"], "--foreground"),
    (["scale", "web"], "N"), (["scale", "web", "many"], "many"), (["scale", "web", "-1"], "-1"), (["diff", "1"], "M"),
    (["diff", "a", "b"], "a"), (["rollback", "x"], "x"), (["rollback", "1", "2"], "2"), (["logs", "--since", "yesterday"], "yesterday"),
    (["logs", "-n", "x"], "x"), (["logs", "-n", "-5"], "-5"), (["events", "--after", "x"], "x"), (["status", "-o", "yaml"], "yaml"), (["exec", "web"], "COMMAND"),
])
def test_wrong_words_are_usage_and_say_what_is_right(platform, words, said):
    platform.program()
    platform.write_file()
    done = platform.run(*words)
    assert done.status == USAGE and said in done.err and done.out == "", done


def test_a_locale_without_utf_8_and_a_narrow_terminal_are_no_trouble(web):
    done = web.run("status", environment={"LC_ALL": "C", "COLUMNS": "10"}, expect=DONE)
    assert done.out.isascii() and "web.1" in done.out
