"""A headless chromium, driven by the WebDriver protocol over plain HTTP."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PICTURES = Path(os.environ["CARGO_TARGET_DIR"]) / "browser"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Runs in each page before anything of its own.
WATCH = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
# No environment may send the calls to the driver and the emulator through a proxy.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def wait(condition, what, seconds=30):
    """Asks until there is an answer that counts as true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def read_until(stream, pattern):
    """Returns what a pattern finds in the lines that a program prints."""
    for line in stream:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"the program ended and printed no {pattern}")


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="dari-browser-")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            port = read_until(self.driver.stdout, r"successfully on port (\d+)")
            self.root = f"http://127.0.0.1:{port}/session"
            options = {
                "binary": shutil.which("chromium"),
                "args": [*FLAGS, f"--user-data-dir={self.profile}"],
            }
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            answer = self.call("", {"capabilities": {"alwaysMatch": wanted}})
            self.root += "/" + answer["sessionId"]
            self.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        try:
            self.call("", method="DELETE")
        except (OSError, AssertionError):
            pass
        # Its group: whatever a driver that fails leaves behind.
        os.killpg(self.driver.pid, signal.SIGKILL)
        self.driver.wait()
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, path, body=None, method="POST"):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.root + path, data, headers, method=method)
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.read().decode()}") from None

    def devtools(self, command, **params):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, url):
        self.call("/url", {"url": url})

    def run(self, script, *args):
        return self.call("/execute/sync", {"script": script, "args": list(args)})

    def value(self, expression):
        return self.run(f"return {expression}")

    def text(self, selector):
        script = "return document.querySelector(arguments[0])?.innerText"
        return self.run(script, selector)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent)"
        return self.run(script, selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def element(self, selector):
        found = self.call("/element", {"using": "css selector", "value": selector})
        return "/element/" + next(iter(found.values()))

    def click(self, selector):
        self.call(self.element(selector) + "/click")

    def type(self, selector, text):
        self.call(self.element(selector) + "/value", {"text": text})

    def complaints(self):
        """Returns what the browser has written into its console since the last question."""
        return [entry["message"] for entry in self.call("/se/log", {"type": "browser"})]

    def look(self, width, scheme, media=""):
        """Sets how wide the window is, and whether its user wants it dark."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844 if width < 600 else 900,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=media, features=features)

    def overflow(self):
        """Returns by how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return self.value(f"{root}.scrollWidth - {root}.clientWidth")

    def picture(self, name, whole=True):
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=whole)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
