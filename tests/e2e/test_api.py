"""The API as programs use it: who may, what a stale generation meets, a stream that goes on where it was."""
import http.client
import json
import re
import socket
import time

import pytest
from api_doorman import Doorman, UnixConnection
from platform_under_test import DONE, free_port, needs_root


@pytest.fixture(autouse=True)
def doorman(platform, judge):
    """Every answer that a test gets by api() is held against the description."""
    made = Doorman(judge, platform.folder / "api.sock", platform.state / "run/control/api.sock")
    yield made
    made.close()
    assert made.complaints == []


def ask(connection, method, target, body=None, headers=None):
    connection.request(method, target, json.dumps(body) if body is not None else None, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def api(platform):
    return UnixConnection(platform.folder / "api.sock")


def api_itself(platform):
    """With nobody between, where it is about the connection, or thousands of answers of one kind."""
    return UnixConnection(platform.state / "run" / "control" / "api.sock")


def test_probes_and_metrics_answer(web):
    for target in ("/livez", "/readyz", "/healthz"):
        assert ask(api(web), "GET", target)[0] == 200
    status, _, text = ask(api(web), "GET", "/metrics")
    assert status == 200 and b'freehold_service_healthy{service="web"} 2' in text


def test_an_apply_planned_against_an_older_generation_is_refused(web):
    status, headers, _ = ask(api(web), "GET", "/v1/generations/current")
    assert status == 200 and headers["ETag"] == '"1"'
    submission = {"file": "freehold.yaml", "sources": [{"path": "freehold.yaml", "text": "freehold: 1\nname: other\n"}]}
    status, _, text = ask(api(web), "POST", "/v1/apply", submission, {"If-Match": '"7"'})
    assert status == 412, text
    assert web.get().status == 200


def test_events_go_on_after_the_id_that_was_seen_last(web):
    lines = [json.loads(line) for line in ask(api(web), "GET", "/v1/events?last=1000")[2].splitlines()]
    ids = [line["id"] for line in lines]
    assert ids == sorted(set(ids)) and len(ids) > 3
    rest = [json.loads(line)["id"] for line in ask(api(web), "GET", f"/v1/events?after={ids[2]}")[2].splitlines()]
    assert rest[: len(ids) - 3] == ids[3:]


def test_what_is_not_there_and_what_cannot_be_read_are_problems_with_a_code(web):
    status, _, text = ask(api(web), "GET", "/v1/nothing")
    assert status == 404 and json.loads(text)["code"] == "not_found"
    connection = api(web)
    connection.request("POST", "/v1/plan", "{", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 400 and json.loads(answer.read())["code"] == "invalid"


@needs_root("services have users of their own only then")
def test_a_hosted_service_may_not_use_the_api(web):
    code = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            "s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(200).split()[1].decode())")
    done = web.run("exec", "web", "--", "/usr/bin/python3", "-c", code, str(web.state / "run" / "control" / "api.sock"))
    assert done.status == DONE and done.out.strip() == "403", done


def test_over_tcp_only_where_asked_for_and_only_with_the_token(platform):
    port = free_port()
    platform.program()
    platform.write_file()
    platform.up(environment={"FREEHOLD_API_LISTEN": f"127.0.0.1:{port}"})
    connect = lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    assert ask(connect(), "GET", "/v1/status")[0] == 401
    assert ask(connect(), "GET", "/v1/status", headers={"Authorization": "Bearer wrong"})[0] == 401
    token = (platform.state / "keys" / "token").read_text().strip()
    assert (platform.state / "keys" / "token").stat().st_mode & 0o777 == 0o600
    assert ask(connect(), "GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})[0] == 200
    assert ask(connect(), "GET", "/v1/status", headers={"Authorization": f"Bearer {token}x"})[0] == 401
    assert ask(connect(), "GET", "/v1/status", headers={"Authorization": f"Basic {token}"})[0] == 401
    # A name that was made to lead here, and a page that asks from elsewhere.
    for host in ("evil.example", "127.0.0.1.evil.example", f"evil.example:{port}"):
        assert ask(connect(), "GET", "/v1/status", headers={"Authorization": f"Bearer {token}", "Host": host})[0] == 403, host
    status, headers, _ = ask(connect(), "OPTIONS", "/v1/status", headers={"Origin": "http://evil.example",
                                                                       "Access-Control-Request-Headers": "authorization"})
    assert status == 401 and not [name for name in headers if name.lower().startswith("access-control")]


def raw(platform, data):
    """What the API says to bytes of our own making, until it closes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(platform.state / "run" / "control" / "api.sock"))
        connection.sendall(data)
        got = b""
        while more := connection.recv(65536):
            got += more
        return got


def test_a_path_says_which_methods_it_knows(web):
    for method, target, allowed in (("POST", "/v1/status", "GET, HEAD"), ("DELETE", "/v1/generations/1", "GET, HEAD"),
                                    ("GET", "/v1/apply", "POST"), ("PUT", "/v1/down", "POST"), ("GET", "/v1/contents/abc", "PUT"),
                                    ("OPTIONS", "/v1/plan", "POST"), ("GET", "/v1/services/web/scale", "POST")):
        status, headers, text = ask(api(web), method, target)
        assert (status, headers.get("Allow")) == (405, allowed), (method, target)
        assert json.loads(text)["code"] == "unsupported"
    for method, target in (("GET", "/"), ("POST", "/v1/nothing"), ("DELETE", "/v1/services/web"), ("POST", "/v1/services/web/stop"),
                           ("GET", "/v1/generations/"), ("GET", "/v2/status"), ("OPTIONS", "/v1")):
        assert ask(api(web), method, target)[0] == 404, (method, target)
    assert web.get().status == 200


def test_head_is_get_without_a_body_and_never_goes_on(web):
    for target in ("/v1/status", "/metrics", "/livez", "/v1/events?follow=1", "/v1/logs?follow=1", "/v1/status?follow=1"):
        status, _, body = ask(api(web), "HEAD", target)
        assert (status, body) == (200, b""), target


def test_an_apply_says_what_it_was_planned_against(web):
    submission = {"file": "freehold.yaml", "sources": [{"path": "freehold.yaml", "text": (web.home / "freehold.yaml").read_text()}]}
    assert ask(api(web), "POST", "/v1/apply", submission)[0] == 428
    assert ask(api(web), "POST", "/v1/apply", submission, {"If-Match": '"7"'})[0] == 412
    assert ask(api(web), "POST", "/v1/apply", submission, {"If-Match": "W/7"})[0] == 400
    assert ask(api(web), "POST", "/v1/apply", {**submission, "base": 7})[0] == 409
    assert web.status()["generation"] == 1


def test_what_is_no_request_of_this_api_is_refused_and_the_next_one_answered(web):
    assert raw(web, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(web, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n").split()[1] in (b"400", b"414", b"431")
    assert raw(web, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"X: y\r\n" * 5000 + b"\r\n").split()[1] in (b"400", b"431")
    assert raw(web, b"POST /v1/plan HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n").split()[1] == b"413"
    assert raw(web, b"POST /v1/plan HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}").split()[1] == b"400"
    for body in (b"[]", b'{"sources": 3}', b"[" * 10_000, b'"\xff"', b"null"):
        head = b"POST /v1/plan HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert raw(web, head + body).split()[1] == b"400", body[:20]
    for target in ("/v1/events?after=-1", "/v1/events?after=99999999999999999999999", "/v1/events?last=x", "/v1/logs?since=yesterday",
                   "/v1/logs?last=1e9", "/v1/generations/x", "/v1/diff?from=1"):
        assert ask(api(web), "GET", target)[0] == 400, target
    for target in ("/v1/logs?service=..%2f..", "/v1/logs?service=%2e%2e", "/v1/generations/99", "/v1/diff?from=1&to=99"):
        assert ask(api(web), "GET", target)[0] in (400, 404), target
    assert ask(api(web), "PUT", "/v1/contents/..%2f..%2fescape")[0] in (400, 404)
    assert ask(api(web), "GET", "/v1/status")[0] == 200


def test_many_events_reach_a_reader_that_is_slow_and_one_that_is_not(web):
    connection = api_itself(web)
    plan = {"file": "freehold.yaml", "sources": [{"path": "freehold.yaml", "text": "freehold: 1\nname: " + web.name + "\n"}]}
    for _ in range(3000):
        status, _, _ = ask(connection, "POST", "/v1/plan", plan)
        assert status == 200
    last = json.loads(ask(connection, "GET", "/v1/events?last=1")[2])["id"]
    for pause in (0, 0.002):
        follower = api_itself(web)
        follower.request("GET", "/v1/events?follow=1&after=0")
        answer, ids, began = follower.getresponse(), [], time.monotonic()
        while not ids or ids[-1] < last:
            ids.append(json.loads(answer.readline())["id"])
            time.sleep(pause)
        assert ids == list(range(1, last + 1)), "a gap, or one twice"
        assert time.monotonic() - began < 12, "it waits for something"
        follower.close()


@needs_root("services have users of their own only then")
def test_a_hosted_service_cannot_keep_operators_out_by_its_connections(web):
    code = ("import socket,sys,time\nheld=[]\n"
            "for _ in range(300):\n s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)\n"
            "print('held', flush=True)\ntime.sleep(60)")
    hoarder = web.start("exec", "web", "--", "/usr/bin/python3", "-c", code, str(web.state / "run" / "control" / "api.sock"))
    web.followers.append(hoarder)
    assert hoarder.stdout.readline().strip() == "held"
    assert web.status()["generation"] == 1
    hoarder.kill()


def test_metrics_are_what_prometheus_reads(web):
    web.run("scale", "web", "3", expect=DONE)
    status, headers, text = ask(api(web), "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families, samples, closed = {}, set(), set()
    current = None
    assert text.endswith(b"\n")
    for line in text.decode().splitlines():
        if found := re.fullmatch(r"# HELP ([a-z_]+) (\S.*)", line):
            assert found[1] not in families, f"{found[1]} twice"
            if current:
                closed.add(current)
            current = found[1]
            families[current] = None
        elif found := re.fullmatch(r"# TYPE ([a-z_]+) (gauge|counter)", line):
            assert found[1] == current and families[current] is None
            families[current] = found[2]
            assert (found[2] == "counter") == current.endswith("_total"), f"{current} is a {found[2]}"
        else:
            found = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (\d+(?:\.\d+)?)', line)
            assert found and found[1] == current and families[current], line
            assert (found[1], found[2]) not in samples, f"twice: {line}"
            samples.add((found[1], found[2]))
    assert not closed & {current} and len(families) >= 7
    assert ("freehold_service_replicas", '{service="web"}') in samples


def test_a_status_is_followed_as_it_changes_and_an_idle_one_says_nothing(web):
    follower = api(web)
    follower.request("GET", "/v1/status?follow=1")
    answer = follower.getresponse()
    assert json.loads(answer.readline())["services"][0]["replicas"] == 2
    web.run("scale", "web", "3", expect=DONE)
    while len((status := json.loads(answer.readline()))["services"][0]["instances"]) < 3 or status.get("rollout"):
        pass
    follower.sock.settimeout(1.5)
    try:
        while answer.readline():
            pass
        raise AssertionError("the stream ended")
    except TimeoutError:
        pass
