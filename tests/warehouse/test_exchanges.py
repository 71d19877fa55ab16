"""Smarkets and Betfair from their APIs to the public tables: every price, status and payout as the replica knows them.

Beside most of it stands what a naive loader would have made of the same answers, and that it is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.routing import BaseRoute

from tests.conftest import ROOT
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import betfair, smarkets
from tests.replica.venues.betfair_world import BetfairWorld, iso
from tests.replica.venues.questions import DAY, build_questions
from tests.replica.venues.smarkets_world import SmarketsWorld
from tests.replica.world import build_world
from tests.warehouse.conftest import Warehouse, checked

SAMPLES = ROOT.parent / "shared" / "samples"
ENDS_AT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
#: Some markets close between the two runs, some are decided.
RUNS = (ENDS_AT - 12 * DAY + 600, ENDS_AT + 600)
QUESTIONS = build_questions(seed=5, count=30, ends_at=ENDS_AT)
SMARKETS = SmarketsWorld(QUESTIONS, ENDS_AT)
BETFAIR = BetfairWorld(QUESTIONS, ENDS_AT)
DELAY = smarkets.Manners().delay
VENUES = {"price_venues": ["smarkets", "betfair"]}
TABLES = ("+markets", "+contracts", "+events", "+price_snapshots", "+market_match_proposals", "+match_leads")
CHECKED = ("+price_anomalies", "+daily_sync_checkpoint")
CATEGORIES = {"politics": "Politics", "current_affairs": "World", "tv_and_entertainment": "Culture"}
Row = dict[str, Any]


def pointed_at(folder: Path, replica: RunningReplica) -> Warehouse:
    warehouse = Warehouse.in_folder(folder, replica)
    manners = betfair.Manners()
    warehouse.project.environment.update(
        {
            "SOURCES__SMARKETS__BASE_URL": f"{replica.url}/smarkets/v3",
            "SOURCES__SMARKETS__REQUESTS_PER_SECOND": "2000",
            "SOURCES__BETFAIR__API_URL": f"{replica.url}/betfair/exchange",
            "SOURCES__BETFAIR__IDENTITY_URL": f"{replica.url}/betfair/api",
            "SOURCES__BETFAIR__USERNAME": manners.username,
            "SOURCES__BETFAIR__PASSWORD": manners.password,
            "SOURCES__BETFAIR__APP_KEY": manners.app_key,
            "SOURCES__BETFAIR__EVENT_TYPES": "Politics,Special Bets",
            "SOURCES__BETFAIR__REQUESTS_PER_SECOND": "2000",
        }
    )
    return warehouse


def fetch(warehouse: Warehouse, venue: str, code: int = 0) -> str:
    return checked(warehouse.project.dlt(venue, "run"), code)


def build_tables(warehouse: Warehouse) -> None:
    variables = json.dumps(VENUES)
    checked(warehouse.project.dbt("--quiet", "seed", "--vars", variables), 0)
    checked(warehouse.project.dbt("--quiet", "run", "--select", *TABLES, *CHECKED, "--vars", variables), 0)


@dataclass
class Built:
    """A warehouse after two runs of both venues; `read_at` are the real times around each."""

    warehouse: Warehouse
    read_at: list[tuple[datetime, datetime]]
    replica: RunningReplica

    def rows(self, table: str, condition: str = "true") -> list[Row]:
        return self.warehouse.rows(f"{table} where {condition}")

    def snapshots(self, venue: str, run: int) -> dict[str, Row]:
        """What was observed in a run, by contract."""
        first, last = self.read_at[run]
        rows = self.rows("price_snapshots", f"venue = '{venue}'")
        found = [row for row in rows if first <= row["snapshot_time"].replace(tzinfo=UTC) <= last]
        assert len({row["contract_id"] for row in found}) == len(found)
        return {row["contract_id"]: row for row in found}


def serving(mounts: Sequence[BaseRoute], now: int) -> Any:
    return serve(build_world(seed=1, wallets=2, markets=2, fills=10), now, mounts=mounts)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    mounts = (smarkets.mount(SMARKETS, smarkets.Manners(limit=100_000)), betfair.mount(BETFAIR))
    with serving(mounts, RUNS[0]) as replica:
        warehouse = pointed_at(tmp_path_factory.mktemp("exchanges"), replica)
        read_at = []
        for now in RUNS:
            replica.clock.set(now)
            before = datetime.now(UTC)
            fetch(warehouse, "smarkets")
            fetch(warehouse, "betfair")
            read_at.append((before, datetime.now(UTC)))
            build_tables(warehouse)
        yield Built(warehouse, read_at, replica)


def utc(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)


def listed_at(opens_at: int, decided_at: int) -> bool:
    """Whether any run could see the market while it was not decided."""
    return any(opens_at - DAY <= now < decided_at for now in RUNS)


def contract_id(row: Any) -> str:
    if hasattr(row, "selection_id"):
        return f"betfair:{row.market_id}:{row.selection_id}"
    return f"smarkets:{row.contract_id}"


# -- Smarkets


def smarkets_truth(now: int) -> dict[str, Any]:
    seen = {
        market.id
        for market in SMARKETS.markets
        if listed_at(market.question.opens_at, market.question.decided_at) and market.question.opens_at - DAY <= now
    }
    return {contract_id(row): row for row in SMARKETS.truth(now, DELAY) if row.market_id in seen}


def test_contracts_of_smarkets_equal_the_truth(built: Built) -> None:
    truth = smarkets_truth(RUNS[-1])
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'smarkets'")}
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["outcome"], row["payout"], row["bid"], row["ask"]) == (
            said.outcome,
            said.payout,
            said.bid,
            said.ask,
        ), key
        if said.status in ("open", "suspended", "upcoming"):
            assert row["last_price"] == said.last_price
    assert {row["payout"] for row in rows.values()} >= {None, Decimal(0), Decimal(1)}


def test_markets_of_smarkets_equal_the_truth(built: Built) -> None:
    truth = smarkets_truth(RUNS[-1])
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'smarkets'")}
    assert set(rows) == {f"smarkets:{row.market_id}" for row in truth.values()}
    assert {row["status"] for row in rows.values()} == {"upcoming", "open", "suspended", "resolved", "voided"}
    for said in truth.values():
        row = rows[f"smarkets:{said.market_id}"]
        question = SMARKETS.market_by_id[said.market_id].question
        assert row["status"] == said.status
        assert (row["title"], row["category"]) == (question.title, CATEGORIES[question.topic])
        decided = said.status in ("resolved", "voided")
        assert row["resolved_at"] == (utc(question.decided_at) if decided else None)
        assert row["volume_unit"] == "GBP (unverified)"
        single = len(question.winning) == 1 and said.status == "resolved"
        if single:
            assert row["winning_outcome"] == question.outcomes[question.winning[0]]


@pytest.mark.parametrize("run", [0, 1])
def test_snapshots_of_smarkets_are_what_was_quoted_then(built: Built, run: int) -> None:
    now = RUNS[run]
    rows = built.snapshots("smarkets", run)
    truth = {
        key: said
        for key, said in smarkets_truth(now).items()
        if said.status in ("open", "suspended") and (said.bid, said.ask, said.last_price) != (None, None, None)
    }
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price)
        middle = (said.bid + said.ask) / 2 if said.bid is not None and said.ask is not None else None
        assert row["mid_price"] == middle
        assert row["yes_price"] == (middle if middle is not None else said.last_price)
        assert (row["market_status"], row["fidelity"]) == (said.status, "observed")
    # Whoever takes a ladder's end for an offer, or the first level for the best one, has another price.
    naive_asks, wrong = 0, 0
    for market in SMARKETS.markets:
        for contract in market.contracts:
            book = SMARKETS.book(market, contract, now - DELAY)
            key = f"smarkets:{contract.id}"
            if book and book["offers"] and key in rows:
                naive_asks += 1
                wrong += Decimal(book["offers"][0]["price"]) / 10_000 != rows[key]["ask"]
    assert wrong > naive_asks / 3 > 0


def test_what_had_a_price_and_has_none_now_shows_none(built: Built) -> None:
    """A contract that disappears from the quotes is not quoted at what it was before."""
    before, now = smarkets_truth(RUNS[0]), smarkets_truth(RUNS[1])
    gone = [key for key in before if before[key].bid is not None and now[key].bid is None]
    assert gone
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'smarkets'")}
    assert all(rows[key]["bid"] is None for key in gone)


# -- Betfair


def betfair_truth(now: int) -> dict[str, Any]:
    seen = {
        market.id
        for market in BETFAIR.markets
        if listed_at(market.question.opens_at, market.question.decided_at) and market.question.opens_at - DAY <= now
    }
    return {contract_id(row): row for row in BETFAIR.truth(now) if row.market_id in seen}


def test_contracts_of_betfair_equal_the_truth(built: Built) -> None:
    truth = betfair_truth(RUNS[-1])
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'betfair'")}
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["outcome"], row["payout"]) == (said.outcome, said.payout), key
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price), key
    # The best odds to back are the lowest offer: taken the other way round, every spread is negative.
    quoted = [row for row in rows.values() if row["bid"] is not None and row["ask"] is not None]
    assert quoted and all(row["bid"] < row["ask"] for row in quoted)


def test_markets_of_betfair_equal_the_truth(built: Built) -> None:
    truth = betfair_truth(RUNS[-1])
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'betfair'")}
    assert set(rows) == {f"betfair:{row.market_id}" for row in truth.values()}
    assert {row["status"] for row in rows.values()} >= {"open", "suspended", "resolved", "voided"}
    for said in truth.values():
        row = rows[f"betfair:{said.market_id}"]
        question = BETFAIR.by_id[said.market_id].question
        assert row["status"] == said.status
        assert row["title"] == question.title
        assert row["end_date"] == utc(question.closes_at)
        assert row["volume_unit"] == "GBP"


@pytest.mark.parametrize("run", [0, 1])
def test_snapshots_of_betfair_are_what_was_quoted_then(built: Built, run: int) -> None:
    now = RUNS[run]
    rows = built.snapshots("betfair", run)
    truth = {
        key: said
        for key, said in betfair_truth(now).items()
        if said.status in ("open", "suspended") and (said.bid, said.ask, said.last_price) != (None, None, None)
    }
    removed = {
        f"betfair:{market.id}:{runner.selection_id}"
        for market in BETFAIR.markets
        for runner in market.runners
        if BETFAIR.runner_state(market, runner, now) == "REMOVED"
    }
    # A runner that was withdrawn keeps its last match in the book, and has no price all the same.
    assert removed & set(truth)
    assert set(rows) == set(truth) - removed
    for key, row in rows.items():
        said = truth[key]
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price)
        assert row["market_status"] == said.status
    assert any(row["market_status"] == "suspended" and row["bid"] is None for row in rows.values())
    # Prices of a line are places on its scale: 1 / 50.5 would look like a probability.
    line = next(market for market in BETFAIR.markets if market.betting_type == "LINE")
    assert not any(row["market_id"] == f"betfair:{line.id}" for row in rows.values())
    assert iso(now)


# -- the same question at both


def same_questions() -> dict[str, str]:
    """Contract of Smarkets by that of Betfair which pays when the same comes true; undecided at the end, no No."""
    pairs = {}
    for market, other in zip(SMARKETS.markets, BETFAIR.markets, strict=True):
        question = market.question
        is_open = listed_at(question.opens_at, question.decided_at) and RUNS[-1] < question.decided_at
        if not is_open or other.betting_type != "ODDS":
            continue
        for contract, runner in zip(market.contracts, other.runners, strict=False):
            if contract.name != "No":
                pairs[f"betfair:{other.id}:{runner.selection_id}"] = f"smarkets:{contract.id}"
    return pairs


def test_the_same_question_is_proposed_and_nothing_is_decided_by_that(built: Built) -> None:
    proposed = {row["left_contract_id"]: row["right_contract_id"] for row in built.rows("market_match_proposals")}
    truth = same_questions()
    assert truth
    assert {key: proposed.get(key) for key in truth} == truth
    assert not built.rows("matched_prices")


def test_confirmed_matches_are_compared_as_both_were_quoted(built: Built) -> None:
    truth = same_questions()
    with duckdb.connect(str(built.warehouse.project.warehouse)) as connection:
        rows = [(f"m{place}", name, False, None) for place, pair in enumerate(truth.items()) for name in pair]
        connection.executemany("insert into polyomega.market_matches values (?, ?, ?, ?)", rows)
    variables = json.dumps(VENUES | {"match_max_age_seconds": 10_000_000})
    command = ("--quiet", "run", "--select", "market_match_proposals", "matched_prices", "match_leads")
    checked(built.warehouse.project.dbt(*command, "--vars", variables), 0)
    told = {(row["left_contract_id"], row["snapshot_time"]): row for row in built.rows("matched_prices")}
    assert told
    for (left, _), row in told.items():
        assert row["right_contract_id"] == truth[left]
        if row["left_price"] is not None and row["right_price"] is not None:
            assert row["spread"] == row["left_price"] - row["right_price"]
        crossed = [row["right_bid"], row["left_ask"]], [row["left_bid"], row["right_ask"]]
        gains = [bid - ask for bid, ask in crossed if bid is not None and ask is not None and bid > ask]
        assert row["arbitrage"] == (gains[0] if gains else None)
        if gains:
            buy, sell = (
                (crossed[0][1], crossed[0][0]) if row["buy_venue"] == "betfair" else (crossed[1][1], crossed[1][0])
            )
            shares = {"betfair": Decimal("0.05"), "smarkets": Decimal("0.02")}
            fees = max(shares[row["buy_venue"]] * (1 - buy), shares[row["sell_venue"]] * sell)
            assert abs(row["arbitrage_after_fees"] - (gains[0] - fees)) <= Decimal("1e-9")
    # Where both were quoted in the last run, the newest row has both as they were then.
    newest = {left: row for (left, _), row in sorted(told.items(), key=lambda item: item[0][1])}
    now_left, now_right = betfair_truth(RUNS[1]), smarkets_truth(RUNS[1])
    compared = 0
    for left, row in newest.items():
        said_left, said_right = now_left[left], now_right[truth[left]]
        if said_left.status == "open" == said_right.status and said_left.bid and said_right.bid:
            assert (row["left_bid"], row["right_bid"]) == (said_left.bid, said_right.bid)
            compared += 1
    assert compared
    assert all(row["is_confirmed"] for row in built.rows("market_match_proposals") if row["left_contract_id"] in truth)
    leads = {row["left_contract_id"]: row for row in built.rows("match_leads")}
    assert set(leads) == {left for left, _ in told}


# -- asked again


def verified(built: Built, venue: str, code: int) -> Row:
    told: Row = json.loads(checked(built.warehouse.project.dlt(venue, "verify", "--json"), code))
    return told


def test_a_clean_store_passes(built: Built) -> None:
    for venue in ("smarkets", "betfair"):
        told = verified(built, venue, 0)
        assert told["clean"] and told["asked"]["markets"] > 5


def test_what_was_planted_is_found(built: Built) -> None:
    """Prices that cannot be, a jump, a stamp that stands still, a sum far from one, and a market that is gone."""
    quoted = [row for row in built.rows("price_snapshots", "venue = 'smarkets'") if row["mid_price"] is not None]
    lost = next(row for row in built.rows("markets", "venue = 'smarkets' and status = 'open'"))
    whole = next(
        market_id
        for market_id in sorted({row["market_id"] for row in quoted})
        if len({row["contract_id"] for row in quoted if row["market_id"] == market_id})
        == len(built.rows("contracts", f"market_id = '{market_id}'"))
        and market_id != lost["market_id"]
    )
    first = quoted[0]["contract_id"]
    plant = """
        insert into polyomega.price_snapshots by name
        select * replace (
            {changes}
        ) from polyomega.price_snapshots where {condition}
    """
    at = "snapshot_time + interval 3 minute"
    one = f"contract_id = '{first}' order by snapshot_time limit 1"
    planted = [
        plant.format(changes=f"{at} as snapshot_time, 1.2 as ask", condition=one),
        plant.format(changes=f"{at} + interval 1 minute as snapshot_time, 0.999 as yes_price", condition=one),
        plant.format(
            changes="timestamp '2020-01-01 00:00:00' as snapshot_time, 0.9 as mid_price, 0.9 as bid, 0.9 as ask",
            condition=f"market_id = '{whole}' qualify row_number() over (partition by contract_id) = 1",
        ),
        plant.format(
            changes=f"{at} + interval 2 minute as snapshot_time, timestamp '2020-01-01 00:00:00' as venue_time",
            condition=one,
        ),
        plant.format(
            changes=f"{at} + interval 1 day as snapshot_time, timestamp '2020-01-01 00:00:00' as venue_time",
            condition=one,
        ),
        f"delete from polyomega.markets where market_id = '{lost['market_id']}'",
    ]
    with duckdb.connect(str(built.warehouse.project.warehouse)) as connection:
        for statement in planted:
            connection.execute(statement)
    variables = json.dumps(VENUES)
    checked(built.warehouse.project.dbt("--quiet", "run", "--select", "price_anomalies", "--vars", variables), 0)
    told = verified(built, "smarkets", 1)
    kinds = {finding["kind"]: finding for finding in told["findings"]}
    assert {"impossible_price", "price_jump", "sum_far_from_one", "stale_feed", "missing_market"} <= set(kinds)
    assert kinds["missing_market"]["scope"] == lost["market_id"]
    assert kinds["sum_far_from_one"]["scope"] == whole
    assert {kinds[kind]["scope"] for kind in ("impossible_price", "price_jump")} == {first}


def test_a_venue_that_is_down_fails_alone(built: Built) -> None:
    built.replica.faults.add("error", path="/smarkets/", status=503)
    assert "answered 503" in fetch(built.warehouse, "smarkets", 1)
    fetch(built.warehouse, "betfair")
    assert verified(built, "smarkets", 1)["unanswered"]
    built.replica.faults.clear()


# -- recorded answers


def answers(venue: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((SAMPLES / venue).glob("*.json")) if "openapi" not in path.name]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded samples beside the checkout")
def test_recorded_answers_become_what_they_say(tmp_path: Path) -> None:
    """Values worked out by hand from the samples' numbers."""
    mounts = (
        smarkets.mount(smarkets.RecordedListing(answers("smarkets"))),
        betfair.mount(betfair.RecordedListing(answers("betfair"))),
    )
    with serving(mounts, int(datetime(2026, 6, 20, 12, tzinfo=UTC).timestamp())) as replica:
        warehouse = pointed_at(tmp_path, replica)
        warehouse.project.environment["SOURCES__BETFAIR__EVENT_TYPES"] = "Horse Racing,Soccer"
        fetch(warehouse, "smarkets")
        fetch(warehouse, "betfair")
        build_tables(warehouse)
        contracts = {row["contract_id"]: row for row in warehouse.rows("contracts")}
        markets = {row["market_id"]: row for row in warehouse.rows("markets")}

    def prices(contract: str) -> tuple[Any, ...]:
        row = contracts[contract]
        return tuple(
            str(row[name].normalize()) if row[name] is not None else None for name in ("bid", "ask", "last_price")
        )

    # Magdalena Andersson: bid 7353 / 10000, offers 7937 and 8772 of which the lower is 0.7937, last match 76.92 / 100.
    assert prices("smarkets:403538588") == ("0.7353", "0.7937", "0.7692")
    assert contracts["smarkets:403538588"]["yes_price"] == (Decimal("0.7353") + Decimal("0.7937")) / 2  # 0.7645
    # Ulf Kristersson: bid 1852, offers 2273 and 2326, never matched.
    assert prices("smarkets:403538589") == ("0.1852", "0.2273", None)
    # Social Democrats: bid 8696, offer 9434; Sweden Democrats 370 and 526; Moderates 294 and 417.
    assert prices("smarkets:403539336")[:2] == ("0.8696", "0.9434")
    assert prices("smarkets:403539337")[:2] == ("0.037", "0.0526")
    assert prices("smarkets:403539338")[:2] == ("0.0294", "0.0417")
    market = markets["smarkets:144500182"]
    assert (market["title"], market["status"], market["category"]) == (
        "Next Swedish Prime Minister",
        "open",
        "Politics",
    )
    assert (market["volume"], market["volume_unit"]) == (Decimal(4798), "GBP (unverified)")
    assert market["end_date"] == datetime(2026, 9, 13, 18)

    # Market 1.123398403: back 1.86, 1.85, 1.84; lay 1.87, 1.88, 1.89; last 1.87.
    # Offer 1 / 1.86 = 0.5376344086..., bid 1 / 1.87 = 0.5347593582...
    assert prices("betfair:1.123398403:9405314") == ("0.534759358", "0.537634409", "0.534759358")
    # Back 5.2, lay 5.3, last 5.2: 1 / 5.2 = 0.1923076923..., 1 / 5.3 = 0.1886792452...
    assert prices("betfair:1.123398403:6465009") == ("0.188679245", "0.192307692", "0.192307692")
    # Back 9.2, lay 10, last 9: 0.1086956521..., 0.1, 0.1111111111...; 9 and 10 are whole numbers in the answer.
    assert prices("betfair:1.123398403:7288661") == ("0.1", "0.108695652", "0.111111111")
    assert markets["betfair:1.123398403"]["status"] == "open"
    # A suspended book: best odds to back 21, nothing to lay, last 1000: 1 / 21 = 0.0476190476..., 1 / 1000.
    assert markets["betfair:1.125875153"]["status"] == "suspended"
    assert prices("betfair:1.125875153:8665860") == (None, "0.047619048", "0.001")
    assert markets["betfair:1.125875153"]["volume"] == Decimal("744286.88")
