"""A venue that costs the client nothing: pages of Polymarket's Data API v2 that are ready before anybody asks.

A page is one of a few templates of 1,000 rows, rendered once, into which wallet, page number and time are put; so all
rows of millions are distinct, and a page takes well under a millisecond. The rows have the keys, order of keys,
lengths and number formats of real ones (about 800 bytes each).

Served: `/v2/trades` (the fills), `/v2/activity` (one row per wallet, so that figures are about fills), and the markets
and events that the fills name, in Gamma's keyset form. `python -m benchmarks.venue WALLETS PAGES` prints its port.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from benchmarks.measure import ROOT, ended

PAGE_ROWS = 1000
TEMPLATES = 8
MARKETS = 600
#: Stand-ins in a template: as long as what replaces them, and nothing that a row could hold.
WALLET, PAGE, TIME = b"@" * 40, b"#" * 16, b"~" * 6
NEWEST = 1_770_000_000
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Manners:
    """How a venue answers.

    Args:
        rows: fills in a page.
        most, seconds: requests that it answers within so many seconds; what is more is refused with 429. 0: any number.
        answer_after: seconds until an answer.
    """

    rows: int = PAGE_ROWS
    most: int = 0
    seconds: int = 10
    answer_after: float = 0.0

    @property
    def per_second(self) -> float:
        return self.most / self.seconds


@dataclass(frozen=True)
class Answered:
    """Requests that were answered, those that were refused, and the pace of those for wallets."""

    requests: int
    refused: int
    pace: float


def wallet(number: int) -> str:
    return "0x" + hashlib.sha1(f"wallet {number}".encode()).hexdigest()


def market(number: int) -> dict[str, Any]:
    """What a fill and Gamma say of a market."""
    seed = hashlib.sha256(f"market {number}".encode()).hexdigest()
    city, day = seed[:8], number % 28 + 1
    return {
        "condition_id": "0x" + seed,
        "tokens": [str(int(hashlib.sha256(f"{seed} {side}".encode()).hexdigest(), 16))[:76] for side in "yn"],
        "title": f"Will the highest temperature in {city} be between {60 + number % 40}-{61 + number % 40}\\u00b0F on "
        f"September {day}?",
        "slug": f"highest-temperature-in-{city}-on-september-{day}-2026-{60 + number % 40}-{61 + number % 40}f",
        "event_slug": f"highest-temperature-in-{city}-on-september-{day}-2026",
        "event_id": str(70_000 + number // 4),
    }


class Pages:
    """All answers, as bytes."""

    def __init__(self, wallets: int, pages_per_wallet: int, rows: int = PAGE_ROWS) -> None:
        self._rows = rows
        self.wallets = [wallet(number) for number in range(wallets)]
        self.pages_per_wallet = pages_per_wallet
        self._numbers = {address: number for number, address in enumerate(self.wallets)}
        self._markets = [market(number) for number in range(MARKETS)]
        self._templates = [self._template(number) for number in range(TEMPLATES)]

    def trades(self, address: str, page: int) -> bytes:
        """The body of a wallet's page, newest rows first."""
        number = self._numbers[address] * self.pages_per_wallet + page
        is_last = page + 1 == self.pages_per_wallet
        cursor = "null" if is_last else f'"{page + 1:08d}"'
        rows = (
            self._templates[number % TEMPLATES]
            .replace(WALLET, address[2:].encode())
            .replace(PAGE, f"{number:016x}".encode())
            .replace(TIME, b"%06d" % (NEWEST // 10_000 - page))
        )
        tail = f'],"pagination":{{"limit":{self._rows},"offset":0,"has_more":{json.dumps(not is_last)},'
        return b'{"data":[' + rows + f'{tail}"next_cursor":{cursor}}}}}'.encode()

    def activity(self, address: str) -> bytes:
        row = {
            "proxy_wallet": address,
            "timestamp": NEWEST,
            "condition_id": self._markets[0]["condition_id"],
            "type": "REWARD",
            "size": 1.5,
            "usdc_size": 1.5,
            "transaction_hash": "0x" + hashlib.sha256(address.encode()).hexdigest(),
            "price": 0,
            "token_id": "",
            "side": "",
        }
        pagination = {"limit": PAGE_ROWS, "offset": 0, "has_more": False, "next_cursor": None}
        return json.dumps({"data": [row], "pagination": pagination}).encode()

    def markets(self, condition_ids: list[str], closed: bool) -> bytes:
        wanted = set(condition_ids) if closed else set()
        rows = [
            {
                "id": str(500_000 + number),
                "conditionId": known["condition_id"],
                "slug": known["slug"],
                "events": [{"id": known["event_id"], "slug": known["event_slug"]}],
            }
            for number, known in enumerate(self._markets)
            if known["condition_id"] in wanted
        ]
        return json.dumps({"markets": rows}).encode()

    def events(self, ids: list[str], closed: bool) -> bytes:
        rows = [{"id": id_, "slug": f"event-{id_}"} for id_ in ids] if closed else []
        return json.dumps({"events": rows}).encode()

    def _template(self, number: int) -> bytes:
        chance = random.Random(number)
        return b",".join(self._row(chance, number * PAGE_ROWS + place) for place in range(self._rows))

    def _row(self, chance: random.Random, place: int) -> bytes:
        traded = chance.choice(self._markets)
        side = chance.randrange(2)
        size = round(chance.lognormvariate(3, 2) + 1, chance.choice((0, 2, 6)))
        # Half of the real prices are quotients of two amounts, and show it.
        price = chance.randrange(1, 99) / 100 if chance.random() < 0.5 else round(chance.uniform(0.01, 0.99), 16)
        seed = hashlib.sha256(f"transaction {place}".encode()).hexdigest()
        text = (
            f'{{"proxy_wallet":"0x{WALLET.decode()}","side":"{chance.choice(("BUY", "BUY", "SELL"))}",'
            f'"token_id":"{traded["tokens"][side]}","condition_id":"{traded["condition_id"]}",'
            f'"size":{size},"price":{price},"timestamp":{TIME.decode()}{9999 - place % PAGE_ROWS:04d},'
            f'"title":"{traded["title"]}","slug":"{traded["slug"]}",'
            f'"icon":"https://images.invalid/highest-temperature-{traded["slug"][-18:]}-m1XZuVxmKEs_.jpg",'
            f'"event_slug":"{traded["event_slug"]}","outcome":"{("Yes", "No")[side]}","outcome_index":{side},'
            f'"name":"jaboobelite","pseudonym":"Scary-Barrel","bio":"","profile_image":"",'
            f'"profile_image_optimized":"","transaction_hash":"0x{PAGE.decode()}{seed[16:]}"}}'
        )
        return text.encode()


class _Gate:
    """Counts what passes, and refuses what comes too fast."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._passed: list[float] = []
        self._of_wallets: list[float] = []
        self._refused = 0
        self._lock = threading.Lock()

    def passes(self, path: str) -> bool:
        now = time.monotonic()
        with self._lock:
            most = self._manners.most
            if most and len(self._passed) >= most and now - self._passed[-most] < self._manners.seconds:
                self._refused += 1
                return False
            self._passed.append(now)
            if path.startswith("/v2/"):
                self._of_wallets.append(now)
        return True

    def count(self) -> bytes:
        with self._lock:
            times = self._of_wallets
            pace = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
            return json.dumps({"requests": len(self._passed), "refused": self._refused, "pace": pace}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: Pages
    manners: Manners
    gate: _Gate

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/_answered":
            status, body = 200, self.gate.count()
        elif not self.gate.passes(url.path):
            status, body = 429, b'{"error":"too many requests"}'
        else:
            time.sleep(self.manners.answer_after)
            found = self._body(url.path, query)
            status, body = (404, b"") if found is None else (200, found)
        head = (
            f"HTTP/1.1 {status} -\r\nDate: {formatdate(usegmt=True)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def _body(self, path: str, query: dict[str, list[str]]) -> bytes | None:
        closed = query.get("closed") == ["true"]
        if path == "/v2/trades":
            return self.pages.trades(query["user"][0], int(query.get("cursor", ["0"])[0]))
        if path == "/v2/activity":
            return self.pages.activity(query["user"][0])
        if path == "/markets/keyset":
            return self.pages.markets(query.get("condition_ids", []), closed)
        if path == "/events/keyset":
            return self.pages.events(query.get("id", []), closed)
        return None

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a line per request would be most of the output."""


@dataclass(frozen=True)
class RunningVenue:
    """A venue in a process of its own."""

    url: str
    wallets: int
    pages_per_wallet: int
    rows: int = PAGE_ROWS

    @property
    def fills(self) -> int:
        return self.wallets * self.pages_per_wallet * self.rows

    def answered(self) -> Answered:
        """What it has answered so far."""
        with urlopen(f"{self.url}/_answered") as answer:
            return Answered(**json.load(answer))

    def environment(self) -> dict[str, str]:
        """The settings that point the extractor here, with a pace that never makes it wait."""
        return {
            "SOURCES__POLYMARKET__DATA_API_URL": self.url,
            "SOURCES__POLYMARKET__GAMMA_API_URL": self.url,
            "SOURCES__POLYMARKET__REQUESTS_PER_SECOND": "5000",
            "DESTINATION__NAME": "duckdb",
            "NO_PROXY": HOST,
        }


@contextmanager
def served(wallets: int, pages_per_wallet: int, manners: Manners | None = None) -> Iterator[RunningVenue]:
    manners = manners or Manners()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.venue", str(wallets), str(pages_per_wallet), json.dumps(asdict(manners))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ended(server):
        assert server.stdout is not None
        yield RunningVenue(f"http://{HOST}:{int(server.stdout.readline())}", wallets, pages_per_wallet, manners.rows)


def main() -> None:
    wallets, pages = (int(text) for text in sys.argv[1:3])
    manners = Manners(**json.loads(sys.argv[3])) if len(sys.argv) > 3 else Manners()
    _Handler.pages, _Handler.manners, _Handler.gate = Pages(wallets, pages, manners.rows), manners, _Gate(manners)
    server = ThreadingHTTPServer((HOST, 0), _Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    # Behind whom it serves: both share the machine, and the client is what is measured.
    os.nice(1)
    server.serve_forever()


if __name__ == "__main__":
    main()
