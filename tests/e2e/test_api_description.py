"""The description of the API (OpenAPI 3.1): it is well made, it is served, and each resource answers as it says."""
import json

import api_tools
import pytest
from api_doorman import Doorman, UnixConnection
from platform_under_test import BINARY, DONE, ROOT, wait_for


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "openapi.json"
    done = api_tools.run(BINARY, "schema", "--api")
    assert done.returncode == DONE, done.stderr
    path.write_text(done.stdout)
    return path


def test_redocly_and_spectral_have_nothing_against_it(document):
    redocly = api_tools.run(api_tools.tool("redocly"), "lint", "--config", ROOT / "tests/api/redocly.yaml", "--format", "json", document)
    found = json.loads(redocly.stdout)
    assert redocly.returncode == 0 and found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, redocly.stdout
    spectral = api_tools.run(api_tools.tool("spectral"), "lint", "--fail-severity", "warn", "-r", ROOT / "tests/api/spectral.yaml", document)
    assert spectral.returncode == 0, spectral.stdout


def test_redocly_and_spectral_would_say_what_is_wrong(document):
    made = json.loads(document.read_text())
    made["paths"]["/v1/status"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] += "x"
    document.write_text(json.dumps(made))
    for words in (["redocly", "lint", "--config", ROOT / "tests/api/redocly.yaml"], ["spectral", "lint", "-r", ROOT / "tests/api/spectral.yaml"]):
        assert api_tools.run(api_tools.tool(words[0]), *words[1:], document).returncode == 1, words


@pytest.fixture
def watched(web, judge):
    """A platform whose own command line, too, speaks to the doorman: he stands where the API's socket was."""
    socket = web.state / "run/control/api.sock"
    real = socket.with_name("api.real.sock")
    socket.rename(real)
    doorman = Doorman(judge, socket, real)
    web.doorman = doorman
    yield web
    doorman.close()
    if real.exists():
        real.rename(socket)


def ask(platform, method, target, body=None, headers=None):
    connection = UnixConnection(platform.state / "run/control/api.sock")
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_each_resource_answers_as_the_description_says(watched, document):
    """By the command line where it has a verb for it."""
    follower = watched.start("events", "-f", "-o", "ndjson")
    watched.followers.append(follower)
    assert follower.stdout.readline()
    for words in (["status"], ["history"], ["jobs"], ["plan"], ["logs"], ["events"], ["scale", "web", "1"],
                  ["restart", "web"], ["lock", "status"], ["lock", "release"]):
        watched.run(*words, expect=DONE)
    watched.run("drain", watched.healthy()[0]["id"], expect=DONE)
    watched.program(version="2")
    watched.up()
    assert watched.get().status == 200
    watched.run("diff", "1", "2", expect=DONE)
    watched.run("rollback", expect=DONE)
    access = lambda: watched.run("logs", "--access", "-o", "ndjson", expect=DONE).out
    wait_for(access, what="a line in the access log")
    for target in ("/v1/rollout", "/v1/generations/current", "/livez", "/readyz", "/healthz", "/metrics"):
        assert ask(watched, "GET", target)[0] == 200
    status, headers, text = ask(watched, "GET", "/v1/openapi.json")
    assert (status, json.loads(text)) == (200, json.loads(document.read_text()))
    assert ask(watched, "PUT", "/v1/contents/" + "0" * 64, b"other bytes")[0] == 400
    assert ask(watched, "HEAD", "/v1/status?follow=1")[0] == 200
    assert ask(watched, "DELETE", "/v1/status")[0] == 405
    assert ask(watched, "GET", "/v1/nothing")[0] == 404
    assert ask(watched, "POST", "/v1/down")[0] == 202
    well = {name for name, status in watched.doorman.seen if status < 300}
    described = {operation["operationId"] for item in json.loads(document.read_text())["paths"].values() for operation in item.values()}
    assert watched.doorman.complaints == []
    assert well >= described, "not asked for"
    if watched.doorman.judge.prism:
        assert {name for name, status in watched.doorman.by_prism if status < 300} == described


def test_prism_is_there(judge):
    """Its absence skips this by name; the other tests then have the description as their only judge."""
    assert api_tools.tool("prism").is_file() and judge.prism


def changed(**members):
    return lambda body: json.dumps({**json.loads(body), **members}).encode()


@pytest.mark.parametrize("target, spoil, by_prism", [
    ("/v1/status", lambda status, headers, body: (status, headers, changed(generation="one")(body)), True),
    ("/v1/status", lambda status, headers, body: (status, headers, changed(more=1)(body)), True),
    ("/v1/status", lambda status, headers, body: (206, headers, body), True),
    ("/v1/status", lambda status, headers, body: (status, {**headers, "Content-Type": "text/html"}, body), True),
    ("/v1/generations/99", lambda status, headers, body: (status, headers, changed(code="lost")(body)), True),
    ("/v1/generations/current", lambda status, headers, body: (status, {**headers, "ETag": None}, body), False),
    ("/v1/events?last=1", lambda status, headers, body: (status, headers, changed(id="one")(body) + b"\n"), False),
], ids=["type", "unknown field", "status", "media type", "problem", "header", "line"])
def test_an_answer_that_is_not_as_described_is_found(web, judge, tmp_path, target, spoil, by_prism):
    for change in (lambda *answer: answer, spoil):
        doorman = Doorman(judge, tmp_path / "api.sock", web.state / "run/control/api.sock", change)
        connection = UnixConnection(doorman.path)
        connection.request("GET", target)
        connection.getresponse().read()
        doorman.close()
        ours = [what for what in doorman.complaints if "Prism: " not in what]
        assert bool(ours) == (change is spoil), doorman.complaints
        if judge.prism:
            assert (len(doorman.complaints) > len(ours)) == (change is spoil and by_prism), doorman.complaints
