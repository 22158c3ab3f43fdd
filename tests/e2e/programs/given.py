"""A service that opens no port of its own: it is given the listening socket (LISTEN_FDS), and takes its time to start."""
import http.server
import json
import os
import socket
import time

VERSION = "1"

assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
listener = socket.socket(fileno=3)
assert listener.getsockname() == ("127.0.0.1", int(os.environ["PORT"])) and listener.getblocking()
time.sleep(0.5)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        body = json.dumps({"version": VERSION, "pid": os.getpid(), "name": os.environ["LISTEN_FDNAMES"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = listener
server.serve_forever()
