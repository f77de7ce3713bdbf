"""The example web_chat, what the emulator behind it knows, and a way to it that can be cut."""

import json
import os
import re
import socket
import struct
import subprocess
import threading
import urllib.request
from pathlib import Path

from webdriver import DIRECT, read_until

EXAMPLES = Path(os.environ["CARGO_TARGET_DIR"]) / "debug" / "examples"
# Known to everybody, being the emulator's: the point is that the browser does not get it.
KEY = "dari_emulator_key"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Chat:
    """The program, with an emulator of its own."""

    def __init__(self):
        command = [EXAMPLES / "web_chat"]
        self.program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.emulator = read_until(self.program.stdout, r"emulated at (\S+)")
        self.page = read_until(self.program.stdout, r"the page is at (\S+)/")
        self.port = int(self.page.rsplit(":", 1)[1])

    def stop(self):
        self.program.kill()
        self.program.wait()
        self.program.stdout.close()

    def get(self, path):
        headers = {"Authorization": f"Bearer {KEY}"}
        request = urllib.request.Request(f"{self.emulator}/v1/{path}", headers=headers)
        with DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)

    def sessions(self):
        return [session["id"] for session in self.get("sessions")["sessions"]]

    def ledger(self, session=None):
        """Returns the events of a session, by default the only one."""
        if session is None:
            [session] = self.sessions()
        return self.get(f"sessions/{session}/events?limit=1000")["events"]

    def is_idle(self):
        events = self.ledger()
        return bool(events) and events[-1]["data"].get("status") == "idle"

    def streams(self):
        """Returns how many connections to the emulator are open, as Linux counts them."""
        port = int(self.emulator.rsplit(":", 1)[1])
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


class Proxy:
    """A way from the browser to the page that loses connections when it is told to."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.page = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.relayed = bytearray()
        # After how many bytes of an answer the next streams of events are cut.
        self.cuts = []
        self.cut = 0
        self.answers_to_lose = 0
        self.is_down = False
        self.is_frozen = False
        self.refused = 0
        self.streams = 0
        self.connections = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.is_down = True
        # Wakes the thread that accepts, which a plain close does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut_all()

    def cut_all(self):
        for connection in list(self.connections):
            connection.cut()

    def accept(self):
        while True:
            try:
                browser, _ = self.listener.accept()
            except OSError:
                return
            if self.is_down:
                self.refused += 1
                with browser:
                    browser.recv(65536)
                    browser.sendall(BAD_GATEWAY)
                continue
            connection = Connection(self, browser)
            self.connections.add(connection)
            for pump in (connection.ask, connection.answer):
                threading.Thread(target=pump, daemon=True).start()


class Connection:
    def __init__(self, proxy, browser):
        self.proxy = proxy
        self.browser = browser
        self.page = socket.create_connection(("127.0.0.1", proxy.target))
        self.path = ""
        self.left = None

    def cut(self):
        """Resets both ends, so that whatever was on the way is lost."""
        for end in (self.browser, self.page):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)
            except OSError:
                pass
            end.close()
        self.proxy.connections.discard(self)

    def ask(self):
        try:
            while chunk := self.browser.recv(65536):
                if line := re.match(rb"(GET|POST) (\S*) HTTP", chunk):
                    self.path = line[2].decode()
                    self.begin()
                self.proxy.relayed += chunk
                self.page.sendall(chunk)
        except OSError:
            pass
        self.cut()

    def begin(self):
        if self.path.startswith("/events"):
            self.proxy.streams += 1
            self.left = self.proxy.cuts.pop(0) if self.proxy.cuts else None

    def answer(self):
        try:
            while chunk := self.page.recv(65536):
                if self.proxy.is_frozen and self.path.startswith("/events"):
                    continue
                if self.proxy.answers_to_lose and self.path == "/turns":
                    self.proxy.answers_to_lose -= 1
                    break
                if self.left is not None and len(chunk) >= self.left:
                    self.proxy.cut += 1
                    self.browser.sendall(chunk[: self.left])
                    break
                if self.left is not None:
                    self.left -= len(chunk)
                self.proxy.relayed += chunk
                self.browser.sendall(chunk)
        except OSError:
            pass
        self.cut()
