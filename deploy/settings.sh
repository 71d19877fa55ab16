# What deploy.sh and test.sh share; read by both, run by nobody. Every value can be set in the environment.
# shellcheck shell=sh disable=SC2034
: "${GCP_PROJECT_ID:?set GCP_PROJECT_ID to the Google Cloud project}"
region=${GCP_REGION:-us-central1}
job=${JOB_NAME:-polyomega-sync}
repository=${REPOSITORY:-polyomega}
account=${SERVICE_ACCOUNT:-polyomega-sync@$GCP_PROJECT_ID.iam.gserviceaccount.com}
image=$region-docker.pkg.dev/$GCP_PROJECT_ID/$repository/sync:latest
dataset=${DATASET_PREFIX:-}polyomega
