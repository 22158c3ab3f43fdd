"""The thread through everything: a file goes in, services run, are reached, are changed under load, and brought back."""
import json
import socket
import time

import pytest
from load import Load
from platform_under_test import CHANGES, DONE, ROLLED_BACK, wait_for


def test_up_serves_what_the_file_says(web):
    assert web.get().json()["version"] == "1"
    assert {one["id"] for one in web.healthy()} == {"web.1", "web.2"}
    assert len({web.get().json()["instance"] for _ in range(20)}) == 2, "both instances are given requests"
    status = web.status()
    assert status["generation"] == 1 and status["organisation"] == web.name
    assert {one["name"] for one in status["daemons"]} >= {"control", "gateway", "agent"}


def test_a_program_replaced_in_place_is_a_change_and_rollback_brings_the_old_bytes_back(web):
    assert web.run("plan", "--detailed-exitcode").status == DONE
    web.program(version="2")
    planned = web.run("plan", "--detailed-exitcode", expect=CHANGES)
    assert "web" in planned.out
    assert web.versions() == {"1"}, "a plan changes nothing"
    web.up()
    assert web.versions() == {"2"}
    web.run("rollback", expect=DONE)
    assert web.versions() == {"1"}
    assert web.run("plan", "--detailed-exitcode", expect=CHANGES).out, "the file still says 2"


def test_what_runs_is_what_was_applied_and_not_what_lies_in_the_folder(web):
    web.program(version="2")
    before = {one["pid"] for one in web.healthy()}
    web.run("restart", "web", expect=DONE)
    assert web.versions() == {"1"}
    assert before.isdisjoint({one["pid"] for one in web.healthy()})


def test_ten_deploys_and_a_rollback_under_load_lose_nothing(web):
    with Load(web.port, "/work", expect=lambda headers, body: b'"path": "/work"' in body) as load:
        for version in range(2, 12):
            web.program(version=str(version))
            web.up()
            load.wait_for_requests(20)
        assert web.versions() == {"11"}
        web.run("rollback", expect=DONE)
        assert web.versions() == {"10"}
        load.wait_for_requests(20)
    assert load.failures == [], load.report()
    assert load.requests > 500, load.report()


def test_slow_requests_are_finished_before_their_instance_stops(web):
    with Load(web.port, "/slow?ms=900", kept=4, new=4) as load:
        for version in ("2", "3"):
            web.program(version=version)
            web.up()
    assert load.failures == [], load.report()


def test_a_deploy_that_does_not_get_healthy_is_rolled_back_under_load(web):
    web.program(version="bad", healthy=False)
    file = web.organisation()
    file["services"]["web"]["health"]["start"] = "1s"
    file["services"]["web"]["deploy"] = {"deadline": "4s", "drain": "2s"}
    web.write_file(file)
    with Load(web.port, expect=lambda headers, body: headers.get("x-version") == "1") as load:
        done = web.up(expect=ROLLED_BACK)
    assert load.failures == [], load.report()
    assert "health" in done.said, done
    assert web.versions() == {"1"} and web.status()["generation"] == 1
    history = web.run("history", "-o", "json", expect=DONE).json()
    assert [one["status"] for one in history if one["number"] == 2] == ["failed"]


def test_a_deploy_that_crashes_is_rolled_back(web):
    web.program(version="bad", extra="sys.exit(7)")
    done = web.up(expect=ROLLED_BACK)
    assert "7" in done.said, done
    assert web.versions() == {"1"}


def test_prepare_runs_once_per_deploy_and_its_failure_rolls_back(platform):
    platform.program()
    platform.write("web/prepare.py", "print('prepared')\n")
    service = platform.service(replicas=2, prepare="/usr/bin/python3 ./web/prepare.py")
    platform.write_file(services={"web": service})
    platform.up()
    assert len([line for line in platform.logs("web") if "prepared" in json.dumps(line)]) == 1
    platform.write("web/prepare.py", "import sys\nprint('no')\nsys.exit(4)\n")
    platform.program(version="2")
    platform.up(expect=ROLLED_BACK)
    assert platform.versions() == {"1"}


def test_a_volume_with_one_writer_is_stopped_first_and_the_plan_says_so(platform):
    platform.program()
    service = platform.service(env={"DATA": "${volume.data.path}"}, volumes={"data": {"writers": "one"}})
    platform.write_file(services={"web": service})
    platform.up()
    folder = platform.run("exec", "web", "--", "/usr/bin/printenv", "DATA", expect=DONE).out.strip()
    assert platform.get(f"/keep?folder={folder}&text=first").json() == {"kept": "first"}
    platform.program(version="2")
    planned = platform.run("plan", expect=DONE).out
    assert "data" in planned and "stop" in planned.lower(), planned
    platform.up()
    assert platform.versions() == {"2"}
    assert platform.get(f"/keep?folder={folder}").json() == {"kept": "first"}, "a volume outlives a deploy"


def test_services_start_after_what_they_need_and_reach_it_by_its_address(platform):
    platform.program()
    platform.program("back/service.py", version="back")
    services = {"web": platform.service(needs=["back"], env={"BACK": "http://${service.back.address}"}),
                "back": platform.service("./back/service.py", replicas=2)}
    platform.write_file(services=services)
    platform.up()
    times = {event["subject"].split(".")[0]: event["id"] for event in reversed(platform.events()) if "start" in event.get("kind", event.get("type", ""))}
    assert times["back"] < times["web"], times
    address = platform.service_status("back")["address"].rsplit(":", 1)
    assert platform.get(port=int(address[1])).json()["version"] == "back"
    assert platform.run("exec", "web", "--", "/usr/bin/printenv", "BACK").out.strip() == f"http://{address[0]}:{address[1]}"


def open_tunnel(platform, path):
    tunnel = socket.create_connection(("127.0.0.1", platform.port), timeout=10)
    tunnel.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = tunnel.recv(1)
        assert got, head
        head += got
    assert head.startswith(b"HTTP/1.1 101"), head
    assert b"s3pplmbitxaq9kygzzhzrbk+xoo=" in head.lower()
    return tunnel


def echoes(tunnel, data=b"still here"):
    tunnel.sendall(data)
    got = b""
    while len(got) < len(data):
        more = tunnel.recv(4096)
        if not more:
            return False
        got += more
    return got == data


def test_a_websocket_lives_through_deploys_of_others_and_through_route_changes(platform):
    platform.program()
    platform.program("talk/service.py")
    services = {"web": platform.service(replicas=2), "talk": platform.service("./talk/service.py")}
    paths = {"/*": {"to": "web"}, "/talk/*": {"to": "talk"}}
    platform.write_file(services=services, paths=paths)
    platform.up()
    with open_tunnel(platform, "/talk/socket") as tunnel:
        assert echoes(tunnel)
        platform.program(version="2")
        platform.up()
        paths["/new/*"] = {"redirect": "/", "status": 302}
        platform.write_file(services=services, paths=paths)
        platform.up()
        assert platform.get("/new/x").status == 302
        assert echoes(tunnel, b"x" * 200_000)
        platform.run("restart", "web", expect=DONE)
        assert echoes(tunnel)


def test_hosts_paths_files_and_redirects(platform):
    platform.program()
    platform.write("site/index.html", "<h1>home</h1>")
    platform.write("site/a/data.bin", bytes(range(256)) * 16)
    routes = [{"host": "*", "paths": {"/*": {"files": "./site"}, "/api/*": {"to": "web"}, "/old": {"redirect": "/api/", "status": 308}}},
              {"host": "other.example", "paths": {"/*": {"to": "web"}}}]
    platform.write_file(services={"web": platform.service()}, routes=routes)
    platform.up()
    home = platform.get("/")
    assert (home.status, home.body) == (200, b"<h1>home</h1>") and home.headers["content-type"].startswith("text/html")
    assert platform.get("/", headers={"If-None-Match": home.headers["etag"]}).status == 304
    part = platform.get("/a/data.bin", headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    for way_out in ("/../freehold.yaml", "/%2e%2e/freehold.yaml", "/a/..%2f..%2ffreehold.yaml", "//etc/passwd"):
        assert platform.get(way_out).status in (400, 403, 404), way_out
    assert platform.get("/api/x").json()["path"] == "/api/x"
    assert platform.get("/", headers={"Host": "other.example"}).json()["version"] == "1"
    moved = platform.get("/old")
    assert (moved.status, moved.headers["location"]) == (308, "/api/")


def test_static_files_are_applied_by_content_and_rolled_back(platform):
    platform.program()
    platform.write("site/index.html", "one")
    platform.write_file(services={"web": platform.service()}, paths={"/*": {"files": "./site"}})
    platform.up()
    platform.write("site/index.html", "two")
    assert platform.get("/").body == b"one"
    with Load(platform.port, "/", expect=lambda headers, body: body in (b"one", b"two")) as load:
        platform.up()
        assert platform.get("/").body == b"two"
        platform.run("rollback", expect=DONE)
    assert platform.get("/").body == b"one"
    assert load.failures == [], load.report()


def test_forwarding_headers_are_set_and_those_from_outside_are_not_believed(web):
    seen = web.get("/headers", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6"}).json()
    assert seen["x-forwarded-for"] == "127.0.0.1" and seen["x-forwarded-proto"] == "http"
    assert "6.6.6.6" not in json.dumps(seen)


def test_bodies_stream_both_ways(web):
    body = bytes(range(256)) * 4096 * 8
    answer = web.request("POST", "/echo", body)
    assert answer.status == 200 and answer.body == body


def test_scale_is_a_departure_that_plan_and_status_show(web):
    web.run("scale", "web", "4", expect=DONE)
    assert len(web.wait_until_healthy(4)) == 4
    assert any("web" in line for line in web.status()["departures"])
    assert "4" in web.run("plan", "--detailed-exitcode", expect=CHANGES).out
    with Load(web.port) as load:
        web.up()
        wait_for(lambda: len(web.instances()) == 2, what="back to two")
    assert load.failures == [], load.report()


def test_a_drained_instance_gets_no_requests_and_keeps_running(web):
    drained = web.healthy()[0]
    with Load(web.port) as load:
        web.run("drain", drained["id"], expect=DONE)
        wait_for(lambda: {web.get().json()["pid"] for _ in range(10)}.isdisjoint({drained["pid"]}), what="no requests")
        load.wait_for_requests(50)
    assert load.failures == [], load.report()
    assert drained["pid"] in {one["pid"] for one in web.instances()}
    web.run("drain", drained["id"], "--off", expect=DONE)
    wait_for(lambda: drained["pid"] in {web.get().json()["pid"] for _ in range(10)}, what="requests again")


def test_numbers_of_instances_are_never_used_again(web):
    web.program(version="2")
    web.up()
    assert {one["id"] for one in web.healthy()}.isdisjoint({"web.1", "web.2"})


def test_logs_and_events_tell_what_happened_and_can_be_followed(web):
    web.followers.append(following := web.start("logs", "-f", "web", "-o", "ndjson"))
    web.get("/say?text=something-to-find")
    until = time.monotonic() + 10
    for line in following.stdout:
        if "something-to-find" in line:
            break
        assert time.monotonic() < until, "not followed"
    said = [line for line in web.logs("web") if "something-to-find" in json.dumps(line)]
    assert len(said) == 1 and {"time", "service", "instance", "stream"} <= set(said[0])
    events = web.events()
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert web.events("--after", str(events[0]["id"])) == events[1:]


def test_exec_runs_as_the_service_and_gives_the_exit_code_of_the_command(web):
    inside = web.run("exec", "web", "--", "/usr/bin/id", "-u", expect=DONE).out.strip()
    assert inside == str(web.get().json()["uid"])
    assert web.run("exec", "web", "--", "/bin/sh", "-c", "exit 9").status == 9
    assert web.run("exec", "web", "--", "./web/no-such-program").status in (126, 127)


def test_history_and_diff_show_generations(web):
    web.program(version="2")
    web.run("up", "-m", "second", expect=DONE)
    history = web.run("history", "-o", "json", expect=DONE).json()
    assert {one["number"] for one in history} == {1, 2}
    assert any(one["message"] == "second" for one in history)
    assert "web" in web.run("diff", "1", "2", expect=DONE).out


def test_two_organisations_run_side_by_side(web):
    import platform_under_test
    other = platform_under_test.Platform()
    try:
        other.program(version="other")
        other.write_file()
        other.up()
        assert (web.versions(), other.versions()) == ({"1"}, {"other"})
        other.run("down", expect=DONE)
        assert web.versions() == {"1"}
    finally:
        left = other.close()
        other.remove()
    assert left == []


def test_down_stops_everything_and_up_brings_it_back(web):
    web.run("down", expect=DONE)
    assert web.processes() == {}
    with pytest.raises(ConnectionError):
        web.get()
    web.up()
    assert web.versions() == {"1"}


def test_up_in_the_foreground_prints_its_urls_and_ends_well_with_ctrl_c(platform):
    import signal
    platform.program()
    platform.write_file()
    process = platform.start("up", "--foreground", start_new_session=True)
    shown = ""
    while "ctrl-C stops everything" not in shown:  # an end of the output is an empty line, and fails
        line = process.stdout.readline()
        assert line, shown + process.stderr.read()
        shown += line
    assert f"http://127.0.0.1:{platform.port}" in shown
    assert len(platform.healthy()) == 2
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == DONE, out + err
    assert platform.processes() == {}
