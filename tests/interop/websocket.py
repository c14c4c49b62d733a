"""A WebSocket server that says everything twice, or a client of one: `serve`, or `ask URL CA MESSAGES`."""

import asyncio
import ssl
import sys

import websockets


async def twice(socket, *_):
    async for message in socket:
        await socket.send(message + message)


async def serve():
    async with websockets.serve(twice, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def ask(url, ca, messages):
    tls = {"ssl": ssl.create_default_context(cafile=ca), "server_hostname": "ws.shop.test"} if url.startswith("wss") else {}
    async with websockets.connect(url, host="127.0.0.1", **tls) as socket:
        for at in range(int(messages)):
            for message in (f"{at}-" * 10, bytes([at % 256]) * 70_000):
                await socket.send(message)
                assert await socket.recv() == message + message
        await socket.ping()
    print("done")


asyncio.run(serve() if sys.argv[1] == "serve" else ask(*sys.argv[2:]))
