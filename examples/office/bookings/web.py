"""The pages: a list, and a form that adds to it."""
import datetime
import html
import http.server
import json
import os
import pathlib
import signal
import threading
import urllib.parse
import uuid

import psycopg

import store

PAGE = (pathlib.Path(__file__).parent / "page.html").read_text()
MOST_BYTES = 4096
MOST_CHARACTERS = 100


def read_form(body):
    """-> Booking. Raises store.Refused with what is wrong."""
    fields = {name: values[0].strip() for name, values in urllib.parse.parse_qs(body.decode(errors="replace")).items()}
    who = fields.get("who", "")[:MOST_CHARACTERS]
    if not who:
        raise store.Refused("Who is it for?")
    try:
        ticket = uuid.UUID(fields.get("ticket", ""))
        begins, ends = (datetime.datetime.fromisoformat(f"{fields.get('day')}T{fields.get(name)}") for name in ("begins", "ends"))
    except ValueError:
        raise store.Refused("A day, and two times, please.") from None
    if ends <= begins:
        raise store.Refused("It ends before it begins.")
    return store.Booking(ticket, fields.get("room", ""), who, begins, ends)


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bookings = None

    def do_GET(self):
        where = self.path.split("?")[0]
        if where == "/health":
            # Says that this program works, not that PostgreSQL does: restarting this one would not bring it back.
            self.reply(200, "healthy\n", "text/plain")
        elif where == "/bookings/":
            self.answer(lambda: self.page(200))
        elif where == "/bookings/coming":
            self.answer(lambda: self.reply(200, json.dumps([vars(one) for one in self.bookings.coming()], default=str), "application/json"))
        else:
            self.reply(404, "no such page\n", "text/plain")

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= MOST_BYTES:
            self.close_connection = True  # the body is not read
            self.reply(413, f"a form has at most {MOST_BYTES} bytes\n", "text/plain")
            return
        body = self.rfile.read(length)
        self.answer(lambda: self.book(body))

    def book(self, body):
        try:
            self.bookings.book(read_form(body))
        except store.Refused as refused:
            self.page(409, str(refused))
            return
        self.send_response(303)
        self.send_header("Location", "/bookings/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, action):
        try:
            action()
        except psycopg.OperationalError as error:
            print(f"the database: {error}", flush=True)
            self.reply(503, "The database does not answer. Please try again in a minute.\n", "text/plain")

    def page(self, status, wrong=""):
        escape = html.escape
        rows = "".join(f"<tr><td>{one.begins:%a %d %b %Y}<td>{one.begins:%H:%M}–{one.ends:%H:%M}<td>{escape(one.room)}<td>{escape(one.who)}"
                       for one in self.bookings.coming())
        fill = {"rows": rows, "wrong": f'<p role="alert">{escape(wrong)}</p>' if wrong else "", "ticket": str(uuid.uuid4()),
                "rooms": "".join(f"<option>{escape(name)}" for name in self.bookings.rooms()), "answered": os.environ["FREEHOLD_INSTANCE"]}
        text = PAGE
        for name, value in fill.items():
            text = text.replace(f"<!-- {name} -->", value)
        self.reply(status, text, "text/html")

    def reply(self, status, text, kind):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *values):
        if self.path != "/health":
            print(form % values, flush=True)


def serve(port, bookings):
    Answer.bookings = bookings
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print("bookings listens", flush=True)
    server.serve_forever(poll_interval=0.05)
    bookings.close()
