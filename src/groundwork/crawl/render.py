"""Pages whose text only scripts bring: shown to a browser, and read as it shows them.

The browser has no network of its own. What a page asks for is fetched by the crawl, with its
checked addresses, robots.txt, pace and caps, and handed in; all else is refused.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.urls import canonical, origin
from groundwork.errors import InputError

Load = Callable[[str], Awaitable[tuple[Fetched, bytes]]]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOADED = {"script", "xhr", "fetch"}
"""What a page may ask for; pictures, fonts and frames bring no text of it."""
TABS = 2
MAX_CACHE_BYTES = 64 * 1024 * 1024
IDLE_MS = 500
ARGUMENTS = (
    "--proxy-server=socks5://127.0.0.1:9",  # nobody listens there: the second wall
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # its name in Chrome with a window
    "--js-flags=--max-old-space-size=512",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)


def find_browser() -> str:
    """Path of the system's Chromium. Raises: `InputError` that says what to install."""
    if find_spec("playwright") is None:
        raise InputError(
            "domain.site.render=true: Playwright is not installed; run "
            "`pip install -c requirements.lock -e '.[render]'`, or set domain.site.render=false"
        )
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise InputError(
            f"domain.site.render=true: none of {', '.join(BROWSERS)} is on PATH; install Chromium "
            "(Debian: apt install chromium), or set domain.site.render=false"
        )
    return found


@asynccontextmanager
async def open_renderer(
    config: CrawlConfig, load: Load, *, wanted: bool
) -> AsyncIterator["Renderer | None"]:
    """A browser until the block ends; None when no page is to be rendered."""
    if not wanted:
        yield None
        return
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_browser(),
            chromium_sandbox=os.geteuid() != 0,  # Chromium refuses it to root
            args=list(ARGUMENTS),
        )
        try:
            yield Renderer(config, load, browser)
        finally:
            await browser.close()


@dataclass(slots=True)
class Renderer:
    """Turns the source of a page into what a reader sees."""

    config: CrawlConfig
    load: Load
    """Fetches what a page asks for, by its public URL."""
    browser: Any
    tabs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TABS))
    cache: dict[str, "asyncio.Task[tuple[Fetched, bytes]]"] = field(default_factory=dict)
    cached_bytes: int = 0

    async def render(self, fetched: Fetched, body: bytes) -> tuple[Fetched, bytes]:
        """The page as it stands when its requests have ended, or the reason why there is none."""
        from playwright.async_api import Error

        async with self.tabs:
            try:
                async with asyncio.timeout(3 * self.config.timeout_s):
                    content = await self._show(fetched, body)
            except TimeoutError:
                detail = f"its scripts did not end within {self.config.timeout_s:g} s"
                return replace(fetched, reason=RejectReason.RENDER, detail=detail), b""
            except Error as error:
                detail = " ".join(error.message.split())[:200]
                return replace(fetched, reason=RejectReason.RENDER, detail=detail), b""
        if len(content) > self.config.max_body_bytes:
            detail = f"more than {self.config.max_body_bytes} bytes when rendered"
            return replace(fetched, reason=RejectReason.TOO_LARGE, detail=detail), b""
        digest = sha256_bytes(content)
        shown = replace(fetched, charset="utf-8", size_bytes=len(content), sha256=digest)
        return shown, content

    async def _show(self, fetched: Fetched, body: bytes) -> bytes:
        """Content of the page. Raises: Playwright's `Error`, `TimeoutError`."""
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as LateError

        context = await self.browser.new_context(
            service_workers="block", user_agent=self.config.user_agent, accept_downloads=False
        )
        try:
            page = await context.new_page()
            page.on("dialog", lambda dialog: asyncio.ensure_future(_dismiss(dialog)))
            await context.route("**/*", lambda route: self._answer(route, fetched, body))
            await context.route_web_socket("**/*", lambda socket: socket.close())
            wait_ms = self.config.timeout_s * 1000
            try:
                await page.goto(fetched.url, wait_until="commit", timeout=wait_ms)
            except LateError as error:
                raise TimeoutError from error
            with suppress(LateError):  # a page that asks again and again is read as it stands
                await page.wait_for_load_state("networkidle", timeout=wait_ms)
            async with asyncio.timeout(self.config.timeout_s):
                content = str(await page.content())
            if not page.url.startswith(origin(fetched.url)):
                raise Error(f"its scripts lead to {page.url[:100]}")
            return content.encode("utf-8", "replace")
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.config.timeout_s):
                    await context.close()

    async def _answer(self, route: Any, fetched: Fetched, body: bytes) -> None:
        """Hand in what a page asks for, or refuse it."""
        from playwright.async_api import Error

        request = route.request
        with suppress(Error):  # the page may be gone by now
            if request.is_navigation_request():
                # Only the page itself: a frame, or a place that a script leads to, is none.
                is_page = canonical(request.url) == fetched.url and request.method == "GET"
                if is_page and request.frame.parent_frame is None:
                    charset = f"; charset={fetched.charset}" if fetched.charset else ""
                    kind = f"{fetched.content_type}{charset}"
                    await route.fulfill(status=200, content_type=kind, body=body)
                else:
                    await route.abort("aborted")  # other codes show the browser's error page
            elif request.resource_type == "stylesheet":
                await route.fulfill(status=200, content_type="text/css", body="")
            elif request.resource_type in LOADED and request.method == "GET":
                await self._hand_in(route)
            else:
                await route.abort()

    async def _hand_in(self, route: Any) -> None:
        url = canonical(route.request.url)
        found, content = await self._loaded(url) if url else (None, b"")
        if found is None or found.status == 0 or found.reason not in ("", "http_error"):
            await route.abort()
            return
        asked_by = await route.request.header_value("origin")
        headers = {"content-type": f"{found.content_type}; charset={found.charset or 'utf-8'}"}
        if asked_by:  # the crawl sends no cookies, so a script learns nothing that is not public
            allowed = {"origin": asked_by, "credentials": "true"}
            headers |= {f"access-control-allow-{name}": value for name, value in allowed.items()}
        await route.fulfill(status=found.status, headers=headers, body=content)

    async def _loaded(self, url: str) -> tuple[Fetched, bytes]:
        """What an address gave, asked once a crawl as long as there is room to keep it."""
        task = self.cache.get(url)
        if task is None:
            task = asyncio.ensure_future(self.load(url))
            if self.cached_bytes < MAX_CACHE_BYTES:
                self.cache[url] = task
            _, content = await asyncio.shield(task)
            self.cached_bytes += len(content)
        return await asyncio.shield(task)


async def _dismiss(dialog: Any) -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await dialog.dismiss()
