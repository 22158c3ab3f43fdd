"""Answers with who answered. Ends well: on SIGTERM it finishes what it is doing, then goes."""
import argparse
import http.server
import json
import os
import signal
import threading
import time
import urllib.request

VERSION = 1  # change it, then: freehold plan, freehold up
INSTANCE = os.environ.get("FREEHOLD_INSTANCE", f"process {os.getpid()}")


def notes_count():
    """Asks another service by its address inside. It may be away for a moment: that is not our failure."""
    try:
        with urllib.request.urlopen(os.environ["NOTES"] + "/notes/count", timeout=1) as answer:
            return int(answer.read())
    except (KeyError, OSError, ValueError):
        return None


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_GET(self):
        with self.server.busy():
            if self.path == "/health":
                self.reply({"healthy": True})
            else:
                self.reply({"says": os.environ.get("GREETING", "Hello"), "instance": INSTANCE, "version": VERSION,
                            "path": self.path, "notes": notes_count()})

    def reply(self, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *values):
        print(form % values, flush=True)  # freehold logs hello


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True  # connections that wait for another request do not hold us up
    request_queue_size = 128

    def __init__(self, address):
        super().__init__(address, Answer)
        self.at_work, self.changed = 0, threading.Condition()

    def busy(self):
        """Counts the requests being answered, for the time of a `with`."""
        server = self

        class Busy:
            def __enter__(self):
                with server.changed:
                    server.at_work += 1

            def __exit__(self, *_):
                with server.changed:
                    server.at_work -= 1
                    server.changed.notify_all()

        return Busy()

    def finish(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.at_work == 0, seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    server = Server(("127.0.0.1", parser.parse_args().port))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{INSTANCE} version {VERSION} listens on {server.server_address[1]}", flush=True)
    started = time.monotonic()
    server.serve_forever(poll_interval=0.05)
    server.finish(seconds=8)
    print(f"{INSTANCE} ends after {time.monotonic() - started:.0f} s", flush=True)


main()
