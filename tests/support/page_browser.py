"""Debian's Chromium on the page: what a browser asks for and complains of is kept, so that a test can look at it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

PROGRAM = "chromium"
CURE = "needs chromium (tools/debian-page.txt); make rig-ci installs it"
WAIT_MS = 30_000
"""Longest that anything on the page is waited for; a cold start of a session takes seconds."""
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
TABS = {"see": "watch", "place": "place", "run": "run", "back": "look-back"}
"""Each tab's element, and its name in the name of a picture."""
expect.set_options(timeout=WAIT_MS)

REFUSED = "Failed to load resource: the server responded"
"""How the browser itself tells of a status of 400 and more; without the address."""
TOO_WIDE = """() => document.scrollingElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
  .map(({ tagName, id, className }) => `${tagName} ${id} ${className.baseVal ?? className}`)"""

UNREACHABLE = """() => [...document.querySelectorAll("button, input, select, textarea, a[href], summary")]
  .filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex < 0)
  .filter((each) => !each.parentElement.closest("[role=tablist], [role=toolbar], [role=grid], table, svg")
    && !each.matches("h2"))
  .map(({ tagName, id, className }) => `${tagName} ${id} ${className}`)"""


def need_chromium() -> None:
    """Skip a whole file where there is no browser; fail in CI."""
    if shutil.which(PROGRAM) is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(CURE, pytrace=False)
    pytest.skip(CURE, allow_module_level=True)


class Chromium:
    """The browser, one process for all windows; ends with the context."""

    def __enter__(self) -> Chromium:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=shutil.which(PROGRAM), args=["--no-sandbox", "--disable-gpu"]
        )
        return self

    def __exit__(self, *why: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def window(self, address: str, **options: object) -> Window:
        """Return a window of somebody's own (no cookies, nothing kept) that has opened an address."""
        context = self._browser.new_context(viewport=_size("wide"), **options)
        context.set_default_timeout(WAIT_MS)
        return Window(context.new_page(), address)


class Window:
    """One person's browser.

    Attributes
    ----------
    page
        Playwright's.
    complaints : list of str
        Errors on the console, and scripts that failed.
    refused : list of str
        Status and path of what the server did not answer with 200 or the like.
    elsewhere : list of str
        Addresses that were asked for and are not the page's own.
    """

    def __init__(self, page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.refused: list[str] = []
        self.elsewhere: list[str] = []
        self._home = urlsplit(address).netloc
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", lambda answer: self._take(answer.status, answer.url))
        page.on("request", lambda request: self._see(request.url))
        page.on("websocket", lambda socket: self._see(socket.url))
        if slower := os.environ.get("RIGLOOP_SLOWER"):
            _slow(page, float(slower))
        page.goto(address)

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *why: object) -> None:
        self.page.context.close()

    def sign(self, name: str) -> None:
        """Write a name into the field at the top."""
        self.page.fill("#who", name)
        self.page.press("#who", "Tab")

    def tab(self, name: str) -> None:
        """Open a tab."""
        self.page.click(f"#tab-{name}")
        self.page.wait_for_selector(f"#{name}", state="visible")

    def number(self, selector: str) -> float:
        """Return the number that an element begins with; NaN where there is none yet."""
        text = self.page.inner_text(selector).replace("−", "-").split("/")[0].split()
        try:
            return float(text[0])
        except (IndexError, ValueError):
            return float("nan")

    def until(self, script: str, argument: object = None) -> None:
        """Wait until a script says yes."""
        self.page.wait_for_function(script, arg=argument, timeout=WAIT_MS)

    def unreachable(self) -> list[str]:
        """Return what can be pressed or filled in, and cannot be come to by Tab or by arrows from its like."""
        return self.page.evaluate(UNREACHABLE)

    def resize(self, size: str) -> None:
        """Take on one of ``SIZES``."""
        self.page.set_viewport_size(_size(size))

    def too_wide(self) -> list[str]:
        """Return what stands so far to the right that one has to scroll to it."""
        return self.page.evaluate(TOO_WIDE)

    def theme(self, name: str) -> None:
        """Make it dark or light."""
        self.page.emulate_media(color_scheme=name)
        self.page.evaluate("delete document.documentElement.dataset.theme")
        self.page.evaluate("document.dispatchEvent(new Event('theme'))")

    def picture(self, name: str) -> None:
        """Take a picture, if there is a folder for pictures."""
        if folder := os.environ.get("RIGLOOP_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(REFUSED):
            self.complaints.append(text)

    def _take(self, status: int, url: str) -> None:
        if status >= 400:
            self.refused.append(f"{status} {urlsplit(url).path}")

    def _see(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._home:
            self.elsewhere.append(url)


def _slow(page, times: float) -> None:
    """Let the page compute as on a machine so many times slower, and the network take as many tens of ms."""
    tools = page.context.new_cdp_session(page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": times})
    network = {"offline": False, "latency": 10 * times, "downloadThroughput": -1, "uploadThroughput": -1}
    tools.send("Network.emulateNetworkConditions", network)


def _size(name: str) -> dict[str, int]:
    width, height = SIZES[name]
    return {"width": width, "height": height}
