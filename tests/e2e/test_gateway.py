"""The gateway as visitors meet it where it is hard: killed, full, slow on the other side, left in the middle."""
import os
import pathlib
import re
import signal
import socket
import time

from load import Load
from platform_under_test import DONE, wait_for
from test_thread import echoes, open_tunnel


def pss_mib(pid):
    return int(re.search(r"Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()).group(1)) / 1024


def answers(platform):
    try:
        return platform.get("/").status == 200
    except OSError:
        return False


def test_agent_and_gateway_killed_together_are_back_within_seconds_and_services_do_not_notice(web):
    """Nobody is left who holds the listening sockets or the snapshot; the agent's own state brings both back."""
    before = {one["id"]: one["pid"] for one in web.healthy()}
    for _ in range(3):
        victims = [web.daemon("agent"), web.daemon("gateway")]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        wait_for(lambda: answers(web), seconds=20, what="an answer")
        assert time.monotonic() - began < 5
        wait_for(lambda: None not in (web.daemon("agent"), web.daemon("gateway")), what="both daemons")
    assert {one["id"]: one["pid"] for one in web.wait_until_healthy(2)} == before
    wait_for(lambda: web.problems() == [], seconds=3, what="all ports")


def test_a_killed_gateway_of_two_cores_costs_only_what_was_in_flight_also_while_routes_change(platform):
    platform.program()
    services = {"web": platform.service(replicas=2)}
    gateway = {"listen": f"127.0.0.1:{platform.port}", "cores": 2}
    platform.write_file(services=services, paths={"/*": {"to": "web"}}, gateway=gateway)
    platform.up()
    with Load(platform.port, retry="always", kept=32, new=8) as load:
        for turn in range(3):
            platform.write_file(services=services, paths={"/*": {"to": "web"}, f"/{turn}": {"redirect": "/"}}, gateway=gateway)
            platform.up()
            victim = platform.daemon("gateway")
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda gone=victim: (platform.daemon("gateway") or gone) != gone, what="a new gateway")
            load.wait_for_requests(200)
    assert load.failures == [], load.report()


def test_a_websocket_is_given_the_drain_time_of_its_service_and_then_ends(platform):
    platform.program()
    services = {"web": platform.service(replicas=2, deploy={"drain": "8s", "deadline": "60s"})}
    platform.write_file(services=services)
    platform.up()
    with open_tunnel(platform, "/socket") as tunnel:
        platform.program(version="2")
        deploy = platform.start("up")
        wait_for(lambda: "2" in platform.versions(), what="the new version")
        assert echoes(tunnel), "it goes on while its instance drains"
        assert deploy.wait(60) == DONE
        tunnel.settimeout(10)
        assert tunnel.recv(1) == b"", "an end, no silence"
    with open_tunnel(platform, "/socket") as tunnel:
        assert echoes(tunnel)


def test_large_answers_to_slow_readers_and_large_bodies_are_not_held_in_memory(web):
    gateway = web.daemon("gateway")
    body = os.urandom(1 << 20) * 32
    web.request("POST", "/echo", body)
    before = pss_mib(gateway)
    slow = []
    for _ in range(20):
        reader = socket.create_connection(("127.0.0.1", web.port), timeout=20)
        reader.sendall(f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert reader.recv(12) == b"HTTP/1.1 200"
        slow.append(reader)
    # 640 MiB are on their way to clients that do not read: the gateway holds a buffer for each.
    grown = pss_mib(gateway) - before
    for reader in slow:
        reader.close()
    assert grown < 8, f"{grown:.1f} MiB more"


def test_a_request_whose_client_has_left_holds_up_no_deploy(platform):
    platform.program()
    platform.write_file(services={"web": platform.service(deploy={"drain": "60s", "deadline": "2m"}, stop={"grace": "1s"})})
    platform.up()
    with socket.create_connection(("127.0.0.1", platform.port), timeout=10) as client:
        client.sendall(b"GET /slow?ms=300000 HTTP/1.1\r\nHost: a\r\n\r\n")
        platform.get("/")
    began = time.monotonic()
    platform.program(version="2")
    platform.up()  # the old instance drains: nothing is in flight on it any more
    assert platform.versions() == {"2"} and time.monotonic() - began < 40


def test_encoded_slashes_reach_the_service_as_they_came(web):
    assert web.get("/@scope%2Fpackage/-/x.tgz?a=%2F").json()["path"] == "/@scope%2Fpackage/-/x.tgz"
    assert web.get("/a/..%2f..%2fetc").status == 400
