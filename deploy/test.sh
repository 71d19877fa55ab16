#!/bin/sh
# Runs the deployed job once and shows what it changed. Needed: gcloud and bq (signed in), GCP_PROJECT_ID; the settings
# of deploy/settings.sh are the same as for deploy.sh.
set -eu
cd "$(dirname "$0")/.."
. deploy/settings.sh
ask() { bq query --use_legacy_sql=false --project_id="$GCP_PROJECT_ID" --format=pretty "$1" || echo "(no table yet)"; }
state() {
    ask "select max(timestamp) as latest_trade, count(*) as trades from \`$GCP_PROJECT_ID.$dataset.trades\`"
    ask "select last_sync_time, status, trades_fetched, markets_fetched, events_fetched, wallets_processed,
        sync_duration_seconds from \`$GCP_PROJECT_ID.$dataset.daily_sync_checkpoint\`
        order by last_sync_time desc limit 1"
}

echo "=== Testing $job ==="
echo "Step 1: Current state ..."
state
echo "Step 2: Executing the job and waiting for its end ..."
executed=0
gcloud run jobs execute "$job" --region="$region" --project="$GCP_PROJECT_ID" --wait || executed=$?
echo "Step 3: Executions ..."
gcloud run jobs executions list --job="$job" --region="$region" --project="$GCP_PROJECT_ID" --limit=5
echo "Step 4: State after the run ..."
state
echo "Step 5: Recent logs ..."
gcloud logging read "resource.type=cloud_run_job AND resource.labels.job_name=$job" \
    --limit=50 --project="$GCP_PROJECT_ID" --format="value(textPayload)"
if [ "$executed" -ne 0 ]; then
    echo "=== The job failed ===" >&2
    exit 1
fi
echo "=== Test complete ==="
