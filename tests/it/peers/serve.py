"""Starts one peer on a free port of 127.0.0.1, prints the port, and ends when stdin does."""

import os
import socket
import sys
import threading


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


def announce(port):
    print(port, flush=True)


def moto(listener):
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    host, port = listener.getsockname()
    server = make_server(
        host,
        port,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    announce(port)
    server.serve_forever()


def ministack(listener):
    import asyncio

    host, port = listener.getsockname()
    os.environ.update(
        BIND_HOST=host,
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
    )
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    announce(port)
    asyncio.run(serve(app, config))


def main():
    threading.Thread(target=end_with_stdin, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    {"moto": moto, "ministack": ministack}[sys.argv[1]](listener)


main()
