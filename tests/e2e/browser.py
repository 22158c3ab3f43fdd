"""A browser without a window: Debian's Chromium, driven by the W3C's WebDriver over HTTP.

    with Browser(folder) as browser:
        browser.open("http://127.0.0.1:8080/")
        browser.type("input[name=who]", "Ada")
        browser.click("button")
        browser.wait_for_text("#coming", "Ada")
"""
import http.client
import json
import shutil
import socket
import subprocess

import pytest
from platform_under_test import wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key under which WebDriver names an element


class Browser:
    def __init__(self, folder):
        driver, program = shutil.which("chromedriver"), shutil.which("chromium")
        if not driver or not program:
            pytest.skip("needs the packages chromium and chromium-driver")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
        # A group of its own: what it leaves behind is ended with it.
        self._driver = subprocess.Popen([driver, f"--port={self._port}"], env=environment, cwd=folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        # Without a sandbox of its own, for root may not have one; it visits nobody but us.
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", f"--user-data-dir={folder}/profile"]
        self._session = None
        self._program, self._words = program, words

    def __enter__(self):
        wait_for(self._answers, 30, "chromedriver")
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"binary": self._program, "args": self._words}}}})
        self._session = made["sessionId"]
        return self

    def __exit__(self, *_):
        try:
            if self._session:
                self._ask("DELETE", f"/session/{self._session}")
        finally:
            self._driver.terminate()
            self._driver.wait(20)

    def _answers(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            connection.close()
        assert answer.status == 200, value
        return value

    def _do(self, path, body):
        return self._ask("POST", f"/session/{self._session}{path}", body)

    def _find(self, selector):
        return self._do("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def open(self, url):
        self._do("/url", {"url": url})

    def type(self, selector, text):
        self._do(f"/element/{self._find(selector)}/value", {"text": text})

    def set(self, selector, value):
        """For fields whose keys depend on the language of the browser, such as dates."""
        self._do("/execute/sync", {"script": "document.querySelector(arguments[0]).value = arguments[1]", "args": [selector, value]})

    def click(self, selector):
        self._do(f"/element/{self._find(selector)}/click", {})

    def text(self, selector):
        return self._do("/execute/sync", {"script": "return document.querySelector(arguments[0])?.innerText", "args": [selector]}) or ""

    def wait_for_text(self, selector, text):
        wait_for(lambda: text in self.text(selector), 20, f"'{text}' in {selector}")
