"""The sandbox over HTTP: one WSGI application on loopback, moto behind the gate."""

from __future__ import annotations

import io
import json
import socket
import threading
from contextlib import redirect_stdout
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app

from sandbox import control
from sandbox.errors import Answer
from sandbox.gate import pass_gate
from sandbox.wire import read_call
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

LOOPBACK = "127.0.0.1"
HEARTBEAT_SECONDS = 0.1
HOP_HEADERS = ("content-length", "connection", "transfer-encoding")


class QuietHandler(MotoRequestHandler):
    """Answers without a log line and without waiting for a fuller packet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_arguments: object) -> None:
        """Keep quiet."""

    def connection_dropped(self, _error: BaseException, _environ: object = None) -> None:
        """Close, so that a client that gets no answer notices."""
        self.close_connection = True


class Dispatcher(DomainDispatcherApplication):
    """Finds moto's application for a request, without moto's remark on standard output where there is none."""

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the service of a host name, None if moto has no such service."""
        with redirect_stdout(io.StringIO()):
            return super().get_backend_for_host(host)


def _transparent_app(service: Any) -> Flask:
    """Build moto's application for a service so that its exceptions reach the gate instead of becoming HTML."""
    if service is None:
        raise NotImplementedError
    app = create_backend_app(service)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


class Application:
    """Routes /_sandbox to the control endpoints and everything else through the gate to moto."""

    def __init__(self) -> None:
        self._moto = Dispatcher(_transparent_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one HTTP request."""
        chunked = environ.get("wsgi.input_terminated", False)
        body = environ["wsgi.input"].read() if chunked else environ["wsgi.input"].read(_length(environ))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith(control.PREFIX):
            answer = _control(environ["REQUEST_METHOD"], path.removeprefix(control.PREFIX), body)
        elif path.startswith("/moto-api"):
            answer = self._forward(environ)
        else:
            headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"}
            call = read_call(environ["REQUEST_METHOD"], path, headers, body)
            answer = pass_gate(call, lambda: self._forward(environ))
        status = f"{answer.status} {_phrase(answer.status)}"
        length = ("Content-Length", str(len(answer.body)))
        start_response(status, [("Content-Type", answer.content_type), length, *answer.headers])
        return [answer.body]

    def _forward(self, environ: dict[str, Any]) -> Answer:
        chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        kept = tuple((k, v) for k, v in headers.items() if k.lower() not in (*HOP_HEADERS, "content-type"))
        content_type = headers.get("Content-Type", "text/plain")
        return Answer(status=int(status.split()[0]), content_type=content_type, headers=kept, body=b"".join(chunks))


def _length(environ: dict[str, Any]) -> int:
    length = environ.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdigit() else 0


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown"


def _control(method: str, name: str, body: bytes) -> Answer:
    try:
        request = json.loads(body) if body.strip() else {}
    except ValueError as error:
        status, reply = 400, {"error": f"body: not JSON ({error}); give a JSON object, for example {{}}"}
    else:
        status, reply = control.answer(method, name.rstrip("/"), request)
    return Answer(status=status, content_type="application/json", headers=(), body=json.dumps(reply).encode())


class Server:
    """The HTTP server and the heartbeat that lets time pass while nobody calls."""

    def __init__(self, port: int, host: str) -> None:
        """Bind; OSError if the port is in use."""
        listener = socket.create_server((host, port), backlog=128)
        self._http: BaseWSGIServer = make_server(
            host, port, Application(), threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
        listener.close()  # werkzeug has duplicated it
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._http.serve_forever, self._beat)]

    @property
    def url(self) -> str:
        """Return the address to give to AWS clients as their endpoint."""
        return f"http://{LOOPBACK}:{self._http.server_address[1]}"

    def start(self) -> None:
        """Serve in the background."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving and let time stand."""
        self._stopped.set()
        self._http.shutdown()
        for thread in self._threads:
            thread.join()
        self._http.server_close()

    def _beat(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            WORLD.catch_up()
