"""The load generator itself, against a service without a gateway: a load that misses failures would prove nothing."""
import socket
import subprocess
import threading

import pytest
from load import Load
from platform_under_test import PROGRAMS, PYTHON, free_port, wait_for


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def service():
    port = free_port()
    process = subprocess.Popen([PYTHON, PROGRAMS / "service.py", "--port", str(port)], stdout=subprocess.DEVNULL)
    wait_for(lambda: listens(port), what="the service listens")
    process.listens_on = port
    yield process
    process.kill()
    process.wait()


def test_a_service_that_works_gives_no_failure(service):
    with Load(service.listens_on) as load:
        load.wait_for_requests(200)
    assert load.failures == [] and load.answers["200 kept"] > 50 and load.answers["200 new"] > 20, load.report()


def test_a_service_that_is_killed_gives_failures_on_kept_and_on_new_connections(service):
    with Load(service.listens_on) as load:
        load.wait_for_requests(50)
        service.kill()
        # What was in flight ends first, as a reset or without an answer; whatever comes later is refused.
        wait_for(lambda: {failure.kind for failure in load.failures if "ConnectionRefusedError" in str(failure)}
                 == {"kept", "new"}, what="refusals of both kinds")


def test_another_status_or_body_is_a_failure(service):
    with Load(service.listens_on, "/sick", kept=1, new=0) as load:
        load.wait_for_requests(1)
    assert load.failures == []
    with Load(service.listens_on, "/health", kept=1, new=1) as load:
        wait_for(lambda: len(load.failures) > 3, what="failures")
    assert "status 503" in str(load.failures[0])
    with Load(service.listens_on, "/", expect=lambda headers, body: b"nothing like it" in body) as load:
        wait_for(lambda: load.failures, what="failures")
    assert "unexpected answer" in str(load.failures[0])


@pytest.mark.parametrize("retry,failed", [("kept", True), ("always", False)])
def test_a_connection_that_ends_before_an_answer_is_repeated_only_where_that_is_said(service, retry, failed):
    """A listener in front closes every second new connection at once."""
    with socket.socket() as front:
        front.bind(("127.0.0.1", 0))
        front.listen(64)

        def serve():
            for turn in range(10_000):
                try:
                    client, _ = front.accept()
                except OSError:
                    return
                if turn % 2 == 0:
                    client.close()
                    continue
                threading.Thread(target=pass_on, args=(client,), daemon=True).start()

        def pass_on(client):
            with client, socket.create_connection(("127.0.0.1", service.listens_on)) as back:
                while data := client.recv(65536):
                    back.sendall(data)
                    client.sendall(back.recv(65536))

        threading.Thread(target=serve, daemon=True).start()
        with Load(front.getsockname()[1], kept=0, new=1, retry=retry) as load:
            wait_for(lambda: load.failures or load.requests > 20, what="an outcome")
        front.shutdown(socket.SHUT_RDWR)
    assert bool(load.failures) == failed, load.report()


def test_a_half_answer_is_a_failure():
    with socket.socket() as front:
        front.bind(("127.0.0.1", 0))
        front.listen()

        def serve():
            client, _ = front.accept()
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            client.close()

        threading.Thread(target=serve, daemon=True).start()
        with Load(front.getsockname()[1], kept=1, new=0) as load:
            wait_for(lambda: load.failures, what="a failure")
    assert "IncompleteReadError" in str(load.failures[0])
