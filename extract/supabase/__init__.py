"""Supabase: wallets of an application's users, over its REST interface (PostgREST).

Only the column that holds the address is asked for: such tables hold credentials as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import partial

import dlt
import msgspec
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from extract.http import VenueClient
from extract.raw import WALLETS, decode
from extract.settings import UsageError, resolve_section
from extract.walks import Page, Reading

#: Most rows of an answer, unless the project's own limit is lower: only an empty page is the last.
PAGE = 1000

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*")


@configspec
class SupabaseSettings(BaseConfiguration):
    """Settings `SOURCES__SUPABASE__…`."""

    url: str | None = None
    """`NEXT_PUBLIC_SUPABASE_URL` is read where this is not set."""
    service_role_key: TSecretStrValue | None = None
    """`SUPABASE_SERVICE_ROLE_KEY` is read where this is not set."""
    requests_per_second: float = 10.0
    wallets: list[str] = field(
        default_factory=lambda: [
            "profiles.trading_wallet_address",
            "turnkey_wallets.polymarket_account_address",
            "clob_credentials.polymarket_account_address",
            "user_wallets.proxy_wallet",
        ]
    )
    """Columns that hold a wallet's address, each with its table."""


class Supabase:
    """The readings of one Supabase project."""

    def __init__(self, settings: SupabaseSettings, url: str, key: str) -> None:
        self._columns: Sequence[str] = settings.wallets
        for name in self._columns:
            if not _COLUMN.fullmatch(name):
                raise UsageError(f"SOURCES__SUPABASE__WALLETS: {name!r} is no TABLE.COLUMN")
        self._client = VenueClient(
            url,
            setting="SOURCES__SUPABASE__URL",
            requests_per_second=settings.requests_per_second,
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            secrets=(key,),
        )

    @staticmethod
    def from_settings() -> Supabase | None:
        """None where no project is set up.

        Raises:
            UsageError: a project without a key, or the other way round.
        """
        settings = resolve_section(SupabaseSettings(), "supabase")
        url = settings.url or dlt.config.get("NEXT_PUBLIC_SUPABASE_URL", str)
        key = settings.service_role_key or dlt.secrets.get("SUPABASE_SERVICE_ROLE_KEY", str)
        if not url and not key:
            return None
        if not url or not key:
            missing = "SERVICE_ROLE_KEY" if url else "URL"
            raise UsageError(f"Supabase needs both its URL and its service role key: set SOURCES__SUPABASE__{missing}")
        return Supabase(settings, url, key)

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def readings(self) -> list[Reading]:
        """Per column one reading of its addresses, each once."""
        return [
            Reading(table=WALLETS, scope=f"supabase:{name}", pages=partial(self._pages, *name.split(".")))
            for name in self._columns
        ]

    def close(self) -> None:
        self._client.close()

    def _pages(self, table: str, column: str) -> Iterator[Page]:
        """By the address itself: rows that come or go meanwhile shift no page."""
        bounds = ["not.is.null"]
        while True:
            answer = self._client.get(
                f"/rest/v1/{table}",
                {"select": f"wallet_address:{column}", column: bounds, "order": f"{column}.asc", "limit": str(PAGE)},
            )
            rows = decode(answer.body, list[msgspec.Raw])
            last = WALLETS.keys_of(rows)["wallet_address"][-1] if rows else None
            # No clock: what a table holds has no time of its own.
            yield Page(rows, None, last)
            if last is None:
                return
            bounds = ["not.is.null", f"gt.{last}"]
