"""A doorman before the API: passes on what is asked and answered, and holds each answer against the description.

Two judge: Prism as a validating proxy, which is not ours, and api_description.py, for what Prism cannot look at (lines that
go on, HEAD, what is not there) and for everything else once more. Prism parses and writes JSON anew, so the answer that is
handed back is the one that the API gave, not the one that came out of Prism.
"""
import http.client
import http.server
import itertools
import json
import pathlib
import socket
import socketserver
import tempfile
import threading

import api_description
import api_tools

MOST_OF_A_KIND = 10  # so often Prism sees one operation end with one status; the rest sees api_description alone
PASSED_ON_BY_HTTP = {"host", "content-length", "transfer-encoding", "connection", "expect"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Request:
    def __init__(self, doorman, method, target, headers, body):
        self.doorman, self.method, self.target, self.headers, self.body = doorman, method, target, headers, body
        self.answer = None  # (status, headers, body) once the API gave it

    def send(self, connection, more=()):
        connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", "localhost")
        for name, value in [*self.headers, *more]:
            if name.lower() not in PASSED_ON_BY_HTTP:
                connection.putheader(name, value)
        if self.body or self.method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(self.body)))
        connection.endheaders(self.body or None)
        return connection.getresponse()

    def ask(self):
        connection = UnixConnection(self.doorman.real)
        answer = self.send(connection)
        self.answer = self.doorman.spoil(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return self.answer


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "somebody"

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def hand_back(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in PASSED_ON_BY_HTTP and value is not None:
                self.send_header(name, value)
        # Of HEAD: how long the body would be.
        self.send_header("Content-Length", headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def methods(handle):
    return {f"do_{method}": handle for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")}


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """A client that left."""


class Judge:
    """One for all tests: Prism, and behind it who asks the API itself. Without Prism the description judges alone."""

    def __init__(self, with_prism=True):
        self.description = api_description.Description.of_binary()
        self.waiting, self.numbers, self.prism = {}, itertools.count(1), None
        if not with_prism:
            return
        judge = self

        class Behind(Quiet):
            def pass_on(self):
                self.body()
                request = judge.waiting[int(self.headers["Freehold-Request"])]
                self.hand_back(*request.ask())

        self.behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Behind", (Behind,), methods(Behind.pass_on)))
        threading.Thread(target=self.behind.serve_forever, daemon=True).start()
        self.folder = tempfile.TemporaryDirectory(prefix="freehold-prism-")
        document = pathlib.Path(self.folder.name, "openapi.json")
        document.write_text(json.dumps({**self.description.document, "servers": []}))
        self.prism = api_tools.Prism(document, self.behind.server_address[1])

    def close(self):
        if self.prism:
            self.prism.close()
            self.behind.shutdown()
            self.folder.cleanup()

    def ask_prism(self, request):
        """-> what Prism has against the answer; the answer itself is in the request if Prism let it through to the API."""
        number = next(self.numbers)
        self.waiting[number] = request
        connection = http.client.HTTPConnection("127.0.0.1", self.prism.port, timeout=60)
        answer = request.send(connection, [("Freehold-Request", str(number))])
        body = answer.read()
        connection.close()
        del self.waiting[number]
        if request.answer is not None and (answer.getheader("sl-violations") or answer.status != request.answer[0]):
            return f"Prism: {answer.getheader('sl-violations') or body.decode(errors='replace')}"
        return None


class Doorman:
    """Listens at `path` for one platform, whose API is at `real`. `spoil` changes answers before anybody looks at them."""

    def __init__(self, judge, path, real, spoil=lambda *answer: answer):
        self.judge, self.path, self.real, self.spoil = judge, path, real, spoil
        self.complaints, self.seen, self.by_prism = [], {}, set()
        doorman = self

        class Front(Quiet):
            def pass_on(self):
                request = Request(doorman, self.command, self.path, list(self.headers.items()), self.body())
                if self.command == "GET" and "follow=1" in self.path:
                    return doorman.follow(self, request)
                self.hand_back(*doorman.whole(request))
                return None

        self.server = UnixServer(str(path), type("Front", (Front,), methods(Front.pass_on)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.path.unlink(missing_ok=True)

    def complain(self, request, what):
        if what:
            self.complaints.append(f"{request.method} {request.target}: {what}")

    def count(self, request, status):
        operation = self.judge.description.operation(request.method, request.target)
        kind = operation["operationId"] if operation else None, status
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return self.seen[kind]

    def whole(self, request):
        operation = self.judge.description.operation(request.method, request.target)
        often = operation and self.seen.get((operation["operationId"], 200), 0) >= MOST_OF_A_KIND
        if self.judge.prism and operation and request.method != "HEAD" and not often:
            self.complain(request, self.judge.ask_prism(request))
            if request.answer:
                self.by_prism.add((operation["operationId"], request.answer[0]))
        status, headers, body = request.answer or request.ask()
        self.count(request, status)
        self.complain(request, self.judge.description.check(request.method, request.target, status, headers, body))
        return status, headers, body

    def follow(self, front, request):
        connection = UnixConnection(self.real)
        connection.timeout = None
        answer = request.send(connection)
        if answer.status != 200:
            status, headers, body = answer.status, dict(answer.getheaders()), answer.read()
            self.complain(request, self.judge.description.check(request.method, request.target, status, headers, body))
            return front.hand_back(status, headers, body)
        self.count(request, 200)
        front.send_response_only(200)
        front.send_header("Content-Type", answer.getheader("Content-Type"))
        front.send_header("Transfer-Encoding", "chunked")
        front.end_headers()
        while line := answer.readline():
            self.complain(request, self.judge.description.check_line(request.method, request.target, line))
            front.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            front.wfile.flush()
        front.wfile.write(b"0\r\n\r\n")
        connection.close()
        return None
