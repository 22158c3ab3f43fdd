"""A chat in one room: whoever is connected reads what the others write. One page, one WebSocket."""
import argparse
import asyncio
import http
import pathlib
import signal

import websockets

PAGE = (pathlib.Path(__file__).parent / "page.html").read_bytes()
MOST_CHARACTERS = 500
room = set()


async def talk(socket):
    room.add(socket)
    websockets.broadcast(room, f"{len(room)} here")
    try:
        async for text in socket:
            websockets.broadcast(room, str(text)[:MOST_CHARACTERS])
    except websockets.ConnectionClosedError:
        pass  # left without saying so
    finally:
        room.discard(socket)
        websockets.broadcast(room, f"{len(room)} here")


async def page(path, headers):
    """What is not a WebSocket: the page and the health check."""
    if path == "/health":
        return http.HTTPStatus.OK, [], b"healthy\n"
    if headers.get("Upgrade", "").lower() == "websocket":
        return None
    if path in ("/chat", "/chat/"):
        return http.HTTPStatus.OK, [("Content-Type", "text/html; charset=utf-8")], PAGE
    return http.HTTPStatus.NOT_FOUND, [], b"no such page\n"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with websockets.serve(talk, "127.0.0.1", parser.parse_args().port, process_request=page, max_size=4096):
        print("chat listens", flush=True)
        await stop.wait()
    print("chat said goodbye to all", flush=True)  # leaving the block closed every socket with 1001, going away


asyncio.run(main())
