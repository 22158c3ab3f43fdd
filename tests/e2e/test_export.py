"""Leaving: what `freehold export` writes runs without Freehold, and answers as it did."""
import http.client
import json
import os
import shutil
import socket
import subprocess

import pytest
from exported_site import ExportedSite
from platform_under_test import DONE, FAILED, PROGRAMS, PYTHON, REFUSED, USAGE, wait_for

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
VERIFY = shutil.which("systemd-analyze")
SPOOFED = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Real-IP": "1.2.3.4", "Proxy": "evil", "X-Own": "stays"}

# What is asked of both: method, path, headers.
ASKED = [
    ("GET", "/", {}), ("GET", "/api", {}), ("GET", "/api/x?y=1", {}), ("GET", "/apix", {}), ("POST", "/api/echo", {}),
    ("GET", "//api//x", {}), ("GET", "/static/../api/x", {}), ("GET", "/api/%61?q=%2F", {}),
    ("GET", "/api/headers", SPOOFED), ("GET", "/api/only", {}), ("GET", "/api/only/below", {}), ("GET", "/given", {}),
    ("GET", "/static", {}), ("GET", "/static?a=b", {}), ("GET", "/static/", {}), ("GET", "/static/page.html", {}),
    ("HEAD", "/static/page.html", {}), ("POST", "/static/page.html", {}), ("GET", "/static/page.html/", {}),
    ("GET", "/static/a%20b.txt", {}), ("GET", "/static/folder", {}), ("GET", "/static/folder/", {}), ("GET", "/static/empty/", {}),
    ("GET", "/static/.git/config", {}), ("GET", "/static/folder/.env", {}), ("GET", "/static/.well-known/x", {}),
    ("GET", "/static/none", {}), ("GET", "/static/page.html", {"Range": "bytes=1-3"}), ("GET", "/robots.txt", {}),
    ("GET", "/old/page?x=1", {}), ("GET", "/old", {}), ("GET", "/price", {}),
    ("GET", "/", {"Host": "a.tenants.localhost"}), ("GET", "/", {"Host": "b.a.tenants.localhost"}),
    ("GET", "/", {"Host": "named.localhost:8080"}), ("GET", "/elsewhere", {"Host": "NAMED.localhost"}),
]
PLAIN = {"version", "method", "path"}  # of what the program answers, what does not depend on who answers


def ask(port, method, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, b"body" if method == "POST" else None, headers)
    answer = connection.getresponse()
    body = answer.read()
    told = [answer.status, answer.getheader("Location"), answer.getheader("Content-Range")]
    connection.close()
    if answer.status >= 300:
        return told, None  # whose page it is does not matter
    told.append(answer.getheader("Content-Type"))
    if body.startswith(b"{"):
        said = json.loads(body)
        if path == "/api/headers":
            said["forwarded"] = said["forwarded"].lower()
            return told, {name: value for name, value in said.items() if name not in ("x-request-id", "connection", "accept-encoding")}
        return told, {name: value for name, value in said.items() if name in PLAIN}
    return told, body


def upgrade(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /api/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        client.sendall(b"ping")
        return head.split()[1], client.recv(4)


@pytest.fixture
def site(platform):
    """Up: two services with two instances, one with a given socket, one with none; files, redirects, hosts, secrets."""
    platform.program()
    platform.write("web/given.py", (PROGRAMS / "given.py").read_text())
    for path in ("page.html", "a b.txt", "index.html", "folder/index.html", "empty/x", ".git/config", "folder/.env", ".well-known/x", "robots.txt"):
        platform.write(f"site/{path}", f"this is {path}\n")
    platform.write("secrets.yaml", "token: swordfish\nenv_key: \"swordfish \\\"$x\"\n", mode=0o600)
    web = platform.service(replicas=2, secrets={"token": "file", "env_key": "env"}, needs=["inner"])
    web["env"] = {"INNER": "${service.inner.address}", "TEXT": 'a "b" 50% $$x', "TOLD": "is ${secret.token}", "UPLOADS": "${volume.uploads.path}"}
    web["volumes"] = {"uploads": {"writers": "many"}}
    web["limits"] = {"cpu": 1.5, "memory": "256MiB", "pids": 64, "files": 512}
    services = {"web": web, "inner": platform.service(replicas=2),
                "given": {"run": [PYTHON, "./web/given.py"], "listen": "sockets", "health": {"http": "/"}},
                "down": platform.service(replicas=0)}
    paths = {"/*": {"to": "web"}, "/api/*": {"to": "web", "balance": "least-connections"}, "/api/only": {"redirect": "/x", "status": 302},
             "/given/*": {"to": "given"}, "/static/*": {"files": "./site"}, "/robots.txt": {"files": "./site"},
             "/old/*": {"redirect": "https://coop.example/new/", "status": 301}, "/price": {"redirect": "/a?b=$5"}, "/down/*": {"to": "down"}}
    routes = [{"host": "127.0.0.1", "paths": paths}, {"host": "*.tenants.localhost", "paths": {"/*": {"to": "inner"}}},
              {"host": "named.localhost", "paths": {"/": {"to": "web"}}}]
    platform.write_file(platform.organisation(services, routes=routes, secrets={"store": "./secrets.yaml"}))
    platform.up()
    return platform


def test_what_is_exported_answers_as_freehold_did(site):
    if NGINX is None:
        pytest.skip("nginx is not installed")
    before = [ask(site.port, *one) for one in ASKED]
    assert before[0][0][0] == 200 and upgrade(site.port) == (b"101", b"ping")
    site.run("down", expect=DONE)
    done = site.run("export", "--secrets", site.folder / "left", expect=DONE)
    assert "not expressed: services.NAME.deploy (down, given, inner, web)" in done.err, done
    exported = ExportedSite(site.folder / "left", site.name)
    try:
        started = exported.start_all()
        assert [unit.split("@")[0] for unit in started].count(f"{site.name}-web") == 2
        exported.serve(NGINX)
        wait_for(lambda: answers(site.port), what="nginx")
        for one, was in zip(ASKED, before, strict=True):
            assert ask(site.port, *one) == was, one
        assert upgrade(site.port) == (b"101", b"ping")
        assert ask(site.port, "GET", "/down/x", {})[0][0] == 503, "as Freehold, but not after some seconds"
        told = ask(site.port, "GET", "/api/environment", {})[1]
        assert {"TEXT", "TOLD", "INNER", "ENV_KEY", "CREDENTIALS_DIRECTORY", "FREEHOLD_INSTANCE"} <= set(json.loads(told))
        inner = next(line.rsplit(":", 1)[1] for line in exported.service(started[-1])["Environment"] if line.startswith("INNER="))
        assert ask(int(inner), "GET", "/", {})[0][0] == 200, "the address inside"
    finally:
        exported.close()


def answers(port):
    try:
        return ask(port, "GET", "/", {})
    except OSError:
        return None


def test_systemd_takes_the_units(site):
    if VERIFY is None:
        pytest.skip("systemd is not installed")
    site.run("export", site.folder / "left", expect=DONE)
    units = sorted((site.folder / "left/root/etc/systemd/system").iterdir())
    assert len(units) == 6, units
    done = subprocess.run([VERIFY, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    # Programs that are not laid out on this machine are no fault of a unit's.
    faults = [line for line in done.stderr.splitlines() if site.name in line and "is not executable" not in line]
    assert not faults, done.stderr


def test_an_export_is_whole_or_not_there_and_shows_no_secret(site):
    left = site.folder / "left"
    site.run("export", left, expect=DONE)
    assert not any("swordfish" in path.read_text() for path in left.rglob("*") if path.is_file())
    assert (left / "README.md").read_text().count("- token for web")
    again = site.run("export", left, expect=REFUSED)
    assert "not an empty folder" in again.err
    told = site.run("export", "--secrets", "-o", "json", site.folder / "right", expect=DONE).json()
    assert told["generation"] == 1 and "root/opt/" in " ".join(told["files"]) and told["not_expressed"]
    holding = [path for path in (site.folder / "right").rglob("*") if path.is_file() and "swordfish" in path.read_text()]
    assert holding and all(path.stat().st_mode & 0o777 == 0o600 for path in holding)
    assert (site.folder / "right").stat().st_mode & 0o777 == 0o700
    assert site.run("export").status == USAGE
    assert "nothing was ever applied" in site.run("export", site.folder / "none", "--state", site.folder / "nowhere").err
    assert not (site.folder / "none").exists()


def test_an_older_generation_is_exported_as_it_was(web):
    web.program(version="2")
    web.up()
    web.run("export", "--generation", "1", web.folder / "one", expect=DONE)
    web.run("export", web.folder / "two", expect=DONE)
    for name, version in (("one", "1"), ("two", "2")):
        program = web.folder / name / f"root/opt/{web.name}/programs/web/web/service.py"
        assert f'VERSION = "{version}"' in program.read_text()
    assert web.run("export", "--generation", "9", web.folder / "nine").status == FAILED
    web.run("scale", "web", "3", expect=DONE)
    assert "(web): as many as the file says, not the 3 that" in web.run("export", web.folder / "three", expect=DONE).err


def test_a_file_that_cannot_be_written_leaves_nothing(web):
    content = next(path for path in (web.state / "control/contents").rglob("*") if path.is_file() and b"VERSION" in path.read_bytes())
    whole = content.read_bytes()
    content.write_bytes(b"damaged")
    done = web.run("export", web.folder / "left")
    assert done.status == FAILED and content.name[:12] in done.err, done
    assert not list(web.folder.glob("left*"))
    content.write_bytes(whole)
    os.makedirs(web.folder / "left.unfinished")
    assert "interrupted" in web.run("export", web.folder / "left", expect=REFUSED).err
