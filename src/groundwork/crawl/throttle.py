"""The pace of each host: never faster than it was promised, slower while the host is slow."""

from typing import Any

from scrapy.extensions.throttle import AutoThrottle


def keep_pace(downloader: Any, host: str, *, pace_s: float, concurrency: int) -> None:
    """Give the host's download slot a delay of at least `pace_s`, now and when it is made anew."""
    known = downloader.per_slot_settings.get(host)
    if known is not None and known["delay"] >= pace_s:
        return
    downloader.per_slot_settings[host] = {"delay": pace_s, "concurrency": concurrency}
    slot = downloader.slots.get(host)
    if slot is not None:
        slot.delay = max(slot.delay, pace_s)


class HostThrottle(AutoThrottle):  # type: ignore[misc]  # Scrapy is untyped here
    """Scrapy's AutoThrottle with a least delay for each host instead of one for all."""

    def _response_downloaded(self, response: Any, request: Any, spider: Any) -> None:
        host = request.meta.get("download_slot")
        paces = self.crawler.engine.downloader.per_slot_settings
        self.mindelay = paces.get(host, {"delay": 0.0})["delay"]
        self.maxdelay = max(self._max_delay(), self.mindelay)
        super()._response_downloaded(response, request, spider)
