#!/bin/sh
# One run of a schedule: fetch, build, tell. All settings come from the environment; arguments go to `dlt pipeline run`.
# FETCH_SECONDS: the fetching ends in good order after so many seconds, so that there is time left to build.
# BUILD: `half_hourly` takes in what is new, `all` makes and tests everything. Unset: all in the first half hour of a day
# (UTC) and while there are no tables.
# ALERTS_FAIL=0: alerts are told and do not count in the exit code, where that would only start the same run again.
# Exit codes: 0 all well, 1 something failed or an alert is raised, 2 wrong usage or setting, 3 stopped early; whatever
# it was, the next run resumes.
set -eu
cd "$(dirname "$0")/.."
bin=${POLYOMEGA_BIN:-.venv/bin}
[ -f profiles.yml ] || [ -n "${DBT_PROFILES_DIR:-}" ] || cp profiles.yml.example profiles.yml

fetched=0
timeout --preserve-status --signal INT --kill-after 120 "${FETCH_SECONDS:-1200}" \
    "$bin/dlt" pipeline run "$@" || fetched=$?
# Failed walks and an early end leave rows to build; a wrong setting leaves none.
case $fetched in
    0 | 1 | 3) ;;
    *) exit "$fetched" ;;
esac

build=${BUILD:-half_hourly}
if [ -z "${BUILD:-}" ]; then
    tables=0
    "$bin/dlt" pipeline status >/dev/null 2>&1 || tables=$?
    if [ "$tables" -gt 1 ] || [ "$(date -u +%H%M)" -lt 30 ]; then build=all; fi
fi
built=0
if [ "$build" = all ]; then
    "$bin/dbt" --quiet build || built=$?
else
    "$bin/dbt" --quiet build --selector "$build" || built=$?
fi

told=0
"$bin/python" tools/alert.py || told=$?
if [ "$built" -ne 0 ] || { [ "$told" -ne 0 ] && [ "${ALERTS_FAIL:-1}" = 1 ]; }; then exit 1; fi
exit "$fetched"
