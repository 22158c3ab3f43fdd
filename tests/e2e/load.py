"""Load on the gateway, from a thread of its own: keep-alive connections and new ones, every failed request written down.

    with Load(port, path="/") as load:
        deploy()
    assert load.failures == []

A request has failed when it has no complete answer within 10 s, when its status is not 200, or when its body is not what
was expected. What a client of HTTP repeats by itself is repeated here too, once: a GET on a kept connection that the
other side closed before the first byte of an answer (RFC 9110, 9.2.2; RFC 9112, 9.3.1). With retry="always" that also
holds for a new connection: it is the client for tests that kill the gateway, which no proxy could hide.
"""
import asyncio
import collections
import dataclasses
import threading
import time


@dataclasses.dataclass
class Failure:
    at: float  # seconds since the start
    kind: str  # kept or new
    reason: str

    def __str__(self):
        return f"{self.at:.3f} s, {self.kind} connection: {self.reason}"


class Answerless(Exception):
    """The connection ended before the first byte of an answer."""


class Load:
    def __init__(self, port, path="/", host="127.0.0.1", kept=8, new=4, retry="kept", expect=None, pause=0.002, timeout=10):
        self.port, self.path, self.host, self.kept, self.new = port, path, host, kept, new
        self.retry, self.expect, self.pause, self.timeout = retry, expect, pause, timeout
        self.failures, self.answers, self.repeated = [], collections.Counter(), 0
        self.slowest = 0.0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._ending = threading.Event()
        self._running = threading.Event()

    def __enter__(self):
        self._began = time.monotonic()
        self._thread.start()
        assert self._running.wait(self.timeout), "the load did not start"
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join(self.timeout + 5)

    @property
    def requests(self):
        return sum(self.answers.values())

    def wait_for_requests(self, more):
        """Until so many more were answered: a test goes on when its load has really seen the new state."""
        wanted, until = self.requests + more, time.monotonic() + 30
        while self.requests < wanted:
            assert time.monotonic() < until, f"the load stands still: {self.failures[-3:]}"
            time.sleep(0.01)

    def report(self):
        lines = [f"{self.requests} answers {dict(self.answers)}, {self.repeated} repeated, slowest {self.slowest:.3f} s"]
        return "\n".join(lines + [str(failure) for failure in self.failures[:20]])

    async def _run(self):
        workers = [self._keep("kept") for _ in range(self.kept)] + [self._renew("new") for _ in range(self.new)]
        self._running.set()
        await asyncio.gather(*workers)

    async def _keep(self, kind):
        connection = None
        while not self._ending.is_set():
            connection = await self._count(kind, connection)
            await asyncio.sleep(self.pause)
        if connection:
            connection[1].close()

    async def _renew(self, kind):
        while not self._ending.is_set():
            connection = await self._count(kind, None)
            if connection:
                connection[1].close()
            await asyncio.sleep(self.pause)

    async def _count(self, kind, connection):
        """One request, counted; -> the connection if it can be used again."""
        began = time.monotonic()
        try:
            connection = await asyncio.wait_for(self._request(kind, connection), self.timeout)
        except Exception as error:  # whatever it is, the user had no answer
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            self.failures.append(Failure(time.monotonic() - self._began, kind, reason))
            connection = None
        self.slowest = max(self.slowest, time.monotonic() - began)
        return connection

    async def _request(self, kind, connection):
        for attempt in (1, 2):
            fresh = connection is None
            try:
                connection = connection or await asyncio.open_connection(self.host, self.port)
                return await self._exchange(kind, connection)
            except (Answerless, ConnectionError):
                if connection:
                    connection[1].close()
                connection = None
                if attempt == 2 or (fresh and self.retry != "always"):
                    raise
                self.repeated += 1

    async def _exchange(self, kind, connection):
        reader, writer = connection
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n".encode())
        try:
            first = await reader.readexactly(1)
        except asyncio.IncompleteReadError as error:
            raise Answerless("closed before an answer") from error
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        body = await self._body(reader, headers)
        self.answers[f"{status} {kind}"] += 1
        if status != 200:
            raise ValueError(f"status {status}: {body[:200]!r}")
        if self.expect and not self.expect(headers, body):
            raise ValueError(f"unexpected answer {body[:200]!r}")
        if headers.get("connection", "").lower() == "close":
            writer.close()
            return None
        return connection

    async def _body(self, reader, headers):
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readuntil(b"\r\n")
            return body
        raise ValueError("an answer without a length on a connection that is kept")
