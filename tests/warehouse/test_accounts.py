"""What the venue itself makes of wallets and markets is fetched when the models say so, and not more often."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.replica.server import RunningReplica, serve
from tests.replica.world import build_world, market_state
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse

DAY = 86_400
CLOSED = ("closed", "resolved", "voided")


def asked(replica: RunningReplica) -> Counter[str]:
    """Requests by path since the last look."""
    paths = Counter(request.path.removeprefix("/data-api") for request in replica.requests)
    replica.requests.clear()
    return paths


def requests_of(output: str) -> int:
    (count,) = re.findall(r"requests +([\d,]+) in", output)
    return int(count.replace(",", ""))


def test_positions_and_settlements_are_fetched_when_due(tmp_path: Path) -> None:
    world = build_world(seed=4, wallets=12, markets=45, fills=1200)
    asked_at = world.ends_at - 3 * DAY
    with serve(world, now=asked_at) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        warehouse.sync(wallets=world.wallets)
        first = asked(replica)
        assert not first["/v2/positions"] and not first["/v2/resolutions"]
        warehouse.build(*WITHOUT_TESTS)

        scored = {
            row["wallet_address"]
            for row in warehouse.rows("wallet_scores", "*")
            if row["period"] == "all" and row["omega_status"] != "no_resolved"
        }
        due = {row["wallet_address"] for row in warehouse.rows("positions_needing_sync")}
        assert due == scored
        unsettled = {row["condition_id"] for row in warehouse.rows("resolutions_needing_sync")}
        assert unsettled == {row["condition_id"] for row in warehouse.rows("markets") if row["status"] in CLOSED}
        would_ask = requests_of(warehouse.sync("--dry-run", wallets=world.wallets))
        second = asked(replica)
        assert requests_of(warehouse.sync(wallets=world.wallets)) == would_ask
        assert asked(replica) == second
        assert second["/v2/positions"] >= 2 * len(scored)
        assert second["/v2/resolutions"] == -(-len(unsettled) // 20)
        assert second["/v2/leaderboard"] == len(scored)

        # Views: right between two builds.
        assert not warehouse.rows("positions_needing_sync")
        assert not warehouse.rows("resolutions_needing_sync")
        warehouse.sync(wallets=world.wallets)
        third = asked(replica)
        assert not third["/v2/positions"] and not third["/v2/resolutions"] and not third["/v2/leaderboard"]

        replica.clock.set(world.ends_at)
        warehouse.sync(wallets=world.wallets)
        warehouse.build(*WITHOUT_TESTS)
        assert {row["wallet_address"] for row in warehouse.rows("positions_needing_sync")} >= scored
        closed = {row["condition_id"] for row in warehouse.rows("markets") if row["status"] in CLOSED}
        settled = {one for one in unsettled if market_state(world.markets[one], asked_at) in ("resolved", "voided")}
        old = {one for one in unsettled if world.event_of(world.markets[one]).ends_at <= world.ends_at - 30 * DAY}
        again = {row["condition_id"] for row in warehouse.rows("resolutions_needing_sync")}
        assert again == closed - settled - old
        assert again and settled
