// One room. Whoever comes hears what was said last; it lives in memory, so a restart of the chat forgets it.
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");
const {WebSocketServer, WebSocket} = require("ws");

const MOST_CHARACTERS = 500, REMEMBERED = 20;
const page = fs.readFileSync(path.join(__dirname, "page.html"));
const said = [];

const server = http.createServer((request, response) => {
  const where = request.url.split("?")[0];
  if (where === "/health") response.end("healthy\n");
  else if (where === "/chat" || where === "/chat/") response.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
  else response.writeHead(404).end("no such page\n");
});

const room = new WebSocketServer({server, path: "/chat/socket", maxPayload: 4096});
room.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());   // what it sent was no WebSocket, or too much
  for (const line of said) socket.send(line);
  socket.on("message", (data) => {
    const line = data.toString().slice(0, MOST_CHARACTERS);
    said.push(line);
    if (said.length > REMEMBERED) said.shift();
    for (const other of room.clients) if (other.readyState === WebSocket.OPEN) other.send(line);
  });
});

process.on("SIGTERM", () => {
  for (const socket of room.clients) socket.close(1012, "restarting");   // the page comes back by itself
  server.close(() => process.exit(0));
  server.closeIdleConnections?.();
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(`chat listens, Node ${process.version}`));
