"""Notes in SQLite, in a folder that outlives every deploy. Each is sealed with a secret that only this service can read,
so that a note which somebody changed behind its back shows."""
import argparse
import hashlib
import hmac
import html
import http.server
import os
import pathlib
import signal
import sqlite3
import threading
import urllib.parse

MOST_BYTES = 4096
SHOWN = 50
PAGE = (pathlib.Path(__file__).parent / "page.html").read_text()


def read_secret(name):
    return pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"], name).read_bytes().strip()


class Notes:
    """One connection behind one lock: enough for an example, and obviously right."""

    def __init__(self, path, key):
        self.key, self.lock = key, threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL, seal TEXT NOT NULL)")

    def seal(self, text):
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:12]

    def add(self, text):
        with self.lock, self.database:
            self.database.execute("INSERT INTO note (text, seal) VALUES (?, ?)", (text, self.seal(text)))

    def latest(self):
        with self.lock:
            return self.database.execute("SELECT id, text, seal FROM note ORDER BY id DESC LIMIT ?", (SHOWN,)).fetchall()

    def count(self):
        with self.lock:
            return self.database.execute("SELECT count(*) FROM note").fetchone()[0]


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    notes = None

    def do_GET(self):
        if self.path in ("/notes", "/notes/"):
            rows = "".join(f"<li>{html.escape(text)} <small>{'sealed' if seal == self.notes.seal(text) else 'CHANGED'} {seal}</small></li>"
                           for _, text, seal in self.notes.latest())
            self.reply(200, PAGE.replace("<!-- notes -->", rows), "text/html; charset=utf-8")
        elif self.path == "/notes/count":
            self.reply(200, str(self.notes.count()))
        elif self.path == "/health":
            self.reply(200, f"healthy, {self.notes.count()} notes\n")
        else:
            self.reply(404, "no such page\n")

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = MOST_BYTES + 1
        if length > MOST_BYTES:
            self.close_connection = True  # the rest of the body is not read
            self.reply(413, f"a note has at most {MOST_BYTES} bytes\n")
            return
        form = urllib.parse.parse_qs(self.rfile.read(length).decode(errors="replace"))
        text = form.get("text", [""])[0].strip()
        if text:
            self.notes.add(text)
        self.send_response(303)
        self.send_header("Location", "/notes/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def reply(self, status, text, kind="text/plain; charset=utf-8"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *values):
        print(form % values, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    Answer.notes = Notes(options.database, read_secret("seal"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Answer)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"notes: {Answer.notes.count()} so far", flush=True)
    server.serve_forever(poll_interval=0.05)


main()
