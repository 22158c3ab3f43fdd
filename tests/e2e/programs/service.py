"""The service that the tests run: small, quick, and able to misbehave when asked.

  service.py --port N      VERSION is replaced when a test writes its copy
Ends on SIGTERM after answering what it is answering. Standard library only.
"""
import argparse
import asyncio
import base64
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.parse

VERSION = "1"
HEALTHY = True  # a test that wants a bad version replaces this

eaten, opened, children = [], [], []


class Service:
    def __init__(self):
        self.healthy, self.at_work, self.served, self.ending = HEALTHY, 0, 0, asyncio.Event()

    async def connection(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.at_work += 1
        try:
            method, target, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            if headers.get("upgrade", "").lower() == "websocket":
                return await self.tunnel(headers, reader, writer)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path, _, query = target.partition("?")
            status, answer = await self.answer(method, path, dict(urllib.parse.parse_qsl(query)), headers, body)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nX-Version: {VERSION}\r\n\r\n".encode() + data)
            await writer.drain()
            self.served += 1
            return True
        finally:
            self.at_work -= 1

    async def tunnel(self, headers, reader, writer):
        """A handshake, and then every byte back: all that a proxy can see of a WebSocket."""
        key = headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        writer.write(f"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        self.at_work -= 1  # a tunnel has no end of its own: it does not hold up a stop
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            self.at_work += 1
        return False

    async def answer(self, method, path, query, headers, body):
        name = path.rsplit("/", 1)[-1]
        if name == "health":
            return (200 if self.healthy else 503), {"healthy": self.healthy}
        if name == "echo":
            return 200, body
        if name == "slow":
            await asyncio.sleep(int(query["ms"]) / 1000)
        elif name == "sick":
            self.healthy = False
        elif name == "crash":
            os._exit(int(query.get("code", "3")))
        elif name == "headers":
            return 200, headers
        elif name == "environment":
            return 200, sorted(os.environ)
        elif name == "secret":
            return 200, hashlib.sha256(secret(query["name"])).hexdigest().encode()
        elif name == "say":
            print(query["text"], flush=True)
        elif name == "eat":
            eaten.append(bytearray(os.urandom(1 << 20) * int(query["mib"])))
        elif name == "open":
            return 200, {"opened": open_many(int(query["count"]))}
        elif name == "fork":
            return 200, {"forked": fork_many(int(query["count"]))}
        elif name == "spin":
            return 200, spin(float(query["seconds"]))
        elif name == "keep":
            with open(os.path.join(query["folder"], "kept"), "a+", encoding="utf-8") as file:
                file.write(query.get("text", ""))
                file.seek(0)
                return 200, {"kept": file.read()}
        return 200, {"version": VERSION, "instance": os.environ.get("FREEHOLD_INSTANCE"), "pid": os.getpid(),
                     "uid": os.getuid(), "served": self.served, "method": method, "path": path}


def secret(name):
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = os.path.join(folder, name) if folder else ""
    if path and os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    return os.environ.get(name, "").encode()


def open_many(count):
    try:
        for _ in range(count):
            opened.append(open("/dev/null", "rb"))
    except OSError:
        pass
    reached = len(opened)
    while opened:
        opened.pop().close()
    return reached


def fork_many(count):
    try:
        for _ in range(count):
            children.append(subprocess.Popen(["/bin/sleep", "300"]))
    except OSError:
        pass
    reached = len(children)
    while children:
        child = children.pop()
        child.kill()
        child.wait()
    return reached


def spin(seconds):
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    before = used.ru_utime + used.ru_stime
    while time.monotonic() - began < seconds:
        pass
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"wall": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime - before}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "0")))
    parser.add_argument("--count-lines", type=float, help="print 0, 1, 2, ... with this many seconds between")
    options = parser.parse_args()
    service = Service()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.ending.set)
    server = await asyncio.start_server(service.connection, "127.0.0.1", options.port, backlog=512)
    print(f"version {VERSION} listens on {options.port}", flush=True)
    if options.count_lines:
        asyncio.ensure_future(count_lines(options.count_lines))
    await service.ending.wait()
    server.close()
    until = time.monotonic() + 8
    while service.at_work > 0 and time.monotonic() < until:
        await asyncio.sleep(0.01)
    print(f"version {VERSION} ends", flush=True)


async def count_lines(pause):
    number = 0
    while True:
        print(f"line {number}", flush=True)
        number += 1
        await asyncio.sleep(pause)


sys.exit(asyncio.run(main()))
