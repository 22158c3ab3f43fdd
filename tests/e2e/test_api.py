"""The API as programs use it: who may, what a stale generation meets, a stream that goes on where it was."""
import http.client
import json
import socket

from platform_under_test import DONE, free_port, needs_root


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(connection, method, target, body=None, headers=None):
    connection.request(method, target, json.dumps(body) if body is not None else None, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def api(platform):
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
    assert status == 409, text
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
