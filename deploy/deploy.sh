#!/bin/sh
# Deploys the sync as a Cloud Run job that Cloud Scheduler starts every 30 minutes. Run again, it updates everything.
# Needed: gcloud (signed in), docker, and GCP_PROJECT_ID. Optional: the settings of deploy/settings.sh, and secrets, which
# go to Secret Manager and into no file, argument or log: DOME_API_KEY, SUPABASE_SERVICE_ROLE_KEY,
# RUNTIME__SLACK_INCOMING_HOOK.
set -eu
cd "$(dirname "$0")/.."
. deploy/settings.sh
quietly() { "$@" >/dev/null 2>&1; }

echo "=== Deploying $job to $GCP_PROJECT_ID ($region), every 30 minutes ==="

echo "Step 1: Authenticating docker ..."
gcloud auth configure-docker "$region-docker.pkg.dev" --quiet

echo "Step 2: Ensuring the Artifact Registry repository ..."
gcloud services enable artifactregistry.googleapis.com run.googleapis.com cloudscheduler.googleapis.com \
    secretmanager.googleapis.com bigquery.googleapis.com --project="$GCP_PROJECT_ID"
quietly gcloud artifacts repositories describe "$repository" --location="$region" --project="$GCP_PROJECT_ID" ||
    gcloud artifacts repositories create "$repository" --repository-format=docker \
        --location="$region" --project="$GCP_PROJECT_ID"

echo "Step 3: Ensuring the service account and its rights on BigQuery ..."
quietly gcloud iam service-accounts describe "$account" --project="$GCP_PROJECT_ID" ||
    gcloud iam service-accounts create "${account%%@*}" --project="$GCP_PROJECT_ID" --display-name="polyomega sync"
for role in roles/bigquery.dataEditor roles/bigquery.jobUser; do
    quietly gcloud projects add-iam-policy-binding "$GCP_PROJECT_ID" \
        --member="serviceAccount:$account" --role="$role" --condition=None
done

echo "Step 4: Storing the secrets that are set ..."
secrets=
store() {
    quietly gcloud secrets describe "$1" --project="$GCP_PROJECT_ID" ||
        gcloud secrets create "$1" --replication-policy=automatic --project="$GCP_PROJECT_ID"
    # By way of standard input: arguments are seen by everybody on the computer.
    printenv "$2" | tr -d '\n' | gcloud secrets versions add "$1" --data-file=- --project="$GCP_PROJECT_ID"
    quietly gcloud secrets add-iam-policy-binding "$1" --project="$GCP_PROJECT_ID" \
        --member="serviceAccount:$account" --role=roles/secretmanager.secretAccessor
    secrets=$secrets${secrets:+,}$2=$1:latest
}
if [ -n "${DOME_API_KEY:-}" ]; then store polyomega-dome-api-key DOME_API_KEY; fi
if [ -n "${SUPABASE_SERVICE_ROLE_KEY:-}" ]; then store polyomega-supabase-key SUPABASE_SERVICE_ROLE_KEY; fi
if [ -n "${RUNTIME__SLACK_INCOMING_HOOK:-}" ]; then store polyomega-alert-hook RUNTIME__SLACK_INCOMING_HOOK; fi

echo "Step 5: Building the image ..."
docker build --platform linux/amd64 --file deploy/Dockerfile --tag "$image" .

echo "Step 6: Pushing the image ..."
docker push "$image"

echo "Step 7: Deploying the Cloud Run job ..."
variables=DESTINATION__BIGQUERY__PROJECT_ID=$GCP_PROJECT_ID,DESTINATION__BIGQUERY__LOCATION=${GCP_LOCATION:-US}
if [ -n "${NEXT_PUBLIC_SUPABASE_URL:-}" ]; then
    variables=$variables,NEXT_PUBLIC_SUPABASE_URL=$NEXT_PUBLIC_SUPABASE_URL
fi
if [ -n "$secrets" ]; then secrets=--set-secrets=$secrets; else secrets=--clear-secrets; fi
gcloud run jobs deploy "$job" --image="$image" --region="$region" --project="$GCP_PROJECT_ID" \
    --cpu=2 --memory=2Gi --task-timeout=1800 --max-retries=2 --tasks=1 --parallelism=1 \
    --service-account="$account" --set-env-vars="$variables" "$secrets"

echo "Step 8: Setting up Cloud Scheduler (every 30 minutes) ..."
quietly gcloud run jobs add-iam-policy-binding "$job" --region="$region" --project="$GCP_PROJECT_ID" \
    --member="serviceAccount:$account" --role=roles/run.invoker
verb=create
if quietly gcloud scheduler jobs describe "$job" --location="$region" --project="$GCP_PROJECT_ID"; then verb=update; fi
gcloud scheduler jobs "$verb" http "$job" --location="$region" --project="$GCP_PROJECT_ID" \
    --schedule="*/30 * * * *" --time-zone=Etc/UTC --http-method=POST \
    --uri="https://run.googleapis.com/v2/projects/$GCP_PROJECT_ID/locations/$region/jobs/$job:run" \
    --oauth-service-account-email="$account"

echo "=== Deployment complete. Try it with deploy/test.sh ==="
