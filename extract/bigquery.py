"""BigQuery as the extractor loads it: dlt's own destination, with jobs that load a file once, and laid-out raw tables.

Nothing here is a default that hides: a fault of the settings is one sentence that names the setting.
"""

from __future__ import annotations

import itertools
import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import LoadJob
from dlt.common.runtime.signals import sleep
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.exceptions import DatabaseTerminalException, DatabaseTransientException
from dlt.destinations.impl.bigquery.bigquery import BigQueryClient, BigQueryLoadJob
from dlt.destinations.impl.bigquery.bigquery_adapter import CLUSTER_COLUMNS_HINT, PARTITION_HINT
from dlt.destinations.impl.bigquery.configuration import BigQueryClientConfiguration
from dlt.destinations.impl.bigquery.sql_client import BQ_TERMINAL_REASONS
from dlt.destinations.job_impl import ReferenceFollowupJobRequest
from google.api_core.exceptions import Conflict, Forbidden, GoogleAPICallError, NotFound, Unauthorized
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.cloud import bigquery

from extract.settings import UsageError

# The client would rather read through another package and says so at every query; the lists read here are short.
warnings.filterwarnings("ignore", message="Cannot create BigQuery Storage client")

#: What Google answers where credentials or rights are not as the settings say.
REFUSALS = (GoogleAuthError, RefreshError, Unauthorized, Forbidden)
SOURCE_FORMATS = {"parquet": "PARQUET", "jsonl": "NEWLINE_DELIMITED_JSON"}
LOGIN = "`gcloud auth application-default login`, or name a key or federation file in GOOGLE_APPLICATION_CREDENTIALS"


class _Unexplained(logging.Filter):
    """Keeps refusals of Google's out of dlt's own log, where each is a traceback: the command says it in a sentence."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and any(isinstance(cause, REFUSALS) for cause in _causes(error)):
            return False
        # A job that will be tried again is told of by a traceback as text.
        return not any(f"{kind.__module__}.{kind.__name__}" in record.getMessage() for kind in REFUSALS)


logging.getLogger("dlt").addFilter(_Unexplained())


@configspec
class BigQueryConfiguration(BigQueryClientConfiguration):
    """dlt's settings of BigQuery, and two more."""

    dataset_prefix: str = ""
    """Begins the name of every dataset, for several warehouses in one Google project."""
    labels: dict[str, str] | None = None
    """Put on the raw datasets and on every load job, for instance to tell costs apart."""


class BigQuery(dlt.destinations.bigquery):
    """`dlt.destinations.bigquery` with this project's client. Named `bigquery`, it has its settings, too."""

    spec = BigQueryConfiguration

    @property
    def client_class(self) -> type[RawTablesClient]:
        return RawTablesClient


class LoadOnce(BigQueryLoadJob):
    """Loads one file by jobs of one id, so that a file that was loaded is never loaded again.

    dlt counts its attempts in the job's id. Where an answer is lost after the job was accepted, the next attempt is
    then a new job, and an append is doubled. Here every attempt names the same job, in this process and the next, and
    finds what became of it. Only a job that BigQuery itself reports as failed, which loaded nothing, has a successor.
    """

    def run(self) -> None:
        client = cast(RawTablesClient, self._job_client)
        try:
            job = client.start_or_find(self._load_table, self._file_path, self._load_id)
            self._bq_load_job = job
            pauses = (min(0.1 * 2**looks, 5.0) for looks in itertools.count())
            while not job.done(retry=self._default_retry, timeout=self._http_timeout):
                sleep(next(pauses))
        except GoogleAPICallError as error:
            # Whatever became of the job: the next attempt finds it under the same id.
            raise DatabaseTransientException(error) from error
        failure = job.error_result
        if failure is not None:
            kind = DatabaseTerminalException if failure["reason"] in BQ_TERMINAL_REASONS else DatabaseTransientException
            raise kind(Exception(f"load job {job.job_id}: {failure['message']} ({failure['reason']})"))


class RawTablesClient(BigQueryClient):
    """Lays out raw tables by day and key, labels what it makes, and starts each load job once."""

    config: BigQueryConfiguration

    def prepare_load_table(self, table_name: str) -> PreparedTableSchema:
        table = cast(PreparedTableSchema, super().prepare_load_table(table_name))
        table.update(cast(PreparedTableSchema, layout(table["columns"])))
        return table

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        job = super().create_load_job(table, file_path, load_id, restore)
        if type(job) is BigQueryLoadJob:
            return LoadOnce(file_path, self.config.http_timeout, self.config.retry_deadline)
        return job

    def start_or_find(self, table: PreparedTableSchema, file_path: str, load_id: str) -> bigquery.LoadJob:
        """Starts the job that loads this file, or returns the one that was started before."""
        name = ParsedLoadJobFileName.parse(file_path)
        # The package and the dataset too: BigQuery remembers ids for ever, and a file's own id is short.
        stable = f"{self.sql_client.dataset_name}_{load_id}_{name.table_name}_{name.file_id}_{name.file_format}"
        stable = re.sub(r"[^A-Za-z0-9_-]", "_", stable)
        for attempt in itertools.count(1):
            job_id = stable if attempt == 1 else f"{stable}_{attempt}"
            try:
                return self._start(table, file_path, job_id)
            except Conflict:
                job = self.sql_client.native_connection.get_job(job_id)
                if job.error_result is None:
                    return cast(bigquery.LoadJob, job)
        raise AssertionError("unreachable")

    def _start(self, table: PreparedTableSchema, file_path: str, job_id: str) -> bigquery.LoadJob:
        client = self.sql_client.native_connection
        target = self.sql_client.make_qualified_table_name(str(table["name"]), quote=False)
        staged: str | None = None
        if ReferenceFollowupJobRequest.is_reference_job(file_path):
            staged = ReferenceFollowupJobRequest.resolve_reference(file_path)
        config = bigquery.LoadJobConfig(
            source_format=next(
                SOURCE_FORMATS[end] for end in (staged or file_path).split(".") if end in SOURCE_FORMATS
            ),
            # The table is made beforehand, so that its partitions and types are ours.
            create_disposition="CREATE_NEVER",
            write_disposition="WRITE_APPEND",
            labels=self.config.labels or {},
        )
        timeout = self.config.file_upload_timeout
        if staged is not None:
            return client.load_table_from_uri([staged], target, job_id=job_id, job_config=config, timeout=timeout)
        with open(file_path, "rb") as file:
            return client.load_table_from_file(file, target, job_id=job_id, job_config=config, timeout=timeout)


def layout(columns: Iterable[str]) -> dict[str, Any]:
    """Hints of a raw table: a partition per day of loading, clustered by what tells its rows apart.

    A row is loaded by the run that fetched it, so the day of the fetch is taken for it: a column that both engines
    have. dlt's own small tables keep dlt's layout.
    """
    names = set(columns)
    day = next((name for name in ("fetched_at", "ended_at") if name in names), None)
    if day is None:
        return {}
    key = [name for name in ("walk_id", "walk_position") if name in names] or ["run_id"]
    return {PARTITION_HINT: {day: "DATE({column_name})"}, CLUSTER_COLUMNS_HINT: key}


def settings() -> BigQueryConfiguration:
    """The settings of `DESTINATION__BIGQUERY__…`, with credentials.

    Raises:
        UsageError: there are none, or a prefix that no dataset's name can begin with.
    """
    try:
        configuration = resolve_configuration(
            BigQueryConfiguration()._bind_dataset_name(dataset_name="raw"), sections=("destination", "bigquery")
        )
    except (ConfigurationException, GoogleAuthError) as error:
        raise UsageError(f"BigQuery needs credentials: {LOGIN} ({_first_line(error)})") from None
    if not re.fullmatch(r"(?:[a-z][a-z0-9_]*)?", configuration.dataset_prefix):
        raise UsageError(
            "DESTINATION__BIGQUERY__DATASET_PREFIX may hold a to z, 0 to 9 and _, beginning with a letter, "
            f"got {configuration.dataset_prefix!r}"
        )
    if not project(configuration):
        raise UsageError("the credentials name no Google project: set DESTINATION__BIGQUERY__PROJECT_ID")
    return configuration


def project(configuration: BigQueryConfiguration) -> str | None:
    """The Google project that holds the datasets."""
    return configuration.project_id or configuration.credentials.project_id


def connect(configuration: BigQueryConfiguration) -> bigquery.Client:
    """Google's own client, with these settings."""
    return bigquery.Client(
        project(configuration), configuration.credentials.to_native_credentials(), location=configuration.location
    )


def identity(configuration: BigQueryConfiguration) -> str:
    """What tells this warehouse from every other."""
    return f"bigquery/{project(configuration)}/{configuration.location}/{configuration.dataset_prefix}"


def check(configuration: BigQueryConfiguration, dataset_name: str, *, create: bool) -> None:
    """Sees that queries run in the project, and that the dataset is ours to load into. No table is touched.

    Args:
        dataset_name: the raw dataset.
        create: make it where it is missing.

    Raises:
        UsageError: one sentence that names the setting.
    """
    with connect(configuration) as client, explained(configuration):
        client.query_and_wait("select 1")
        dataset = bigquery.Dataset(f"{client.project}.{dataset_name}")
        dataset.location = configuration.location
        dataset.labels = configuration.labels or {}
        try:
            dataset = client.get_dataset(dataset.reference)
        except NotFound:
            if create:
                client.create_dataset(dataset, exists_ok=True)
            return
        if dataset.location.lower() != configuration.location.lower():
            raise UsageError(
                f"the dataset {dataset_name} is in {dataset.location}, not in {configuration.location}: set "
                f"DESTINATION__BIGQUERY__LOCATION={dataset.location}"
            )
        for table in client.list_tables(dataset):
            if not table.table_id.startswith("_dlt") and not _is_raw(client.get_table(table.reference)):
                raise UsageError(
                    f"the dataset {dataset_name} holds a table {table.table_id} that is not of this project; nothing "
                    "was changed. Set DESTINATION__BIGQUERY__DATASET_PREFIX, which begins the names of all datasets"
                )


def _is_raw(table: bigquery.Table) -> bool:
    return "_dlt_load_id" in {field.name for field in table.schema}


@contextmanager
def explained(configuration: BigQueryConfiguration) -> Iterator[None]:
    """Turns what Google refuses into a UsageError that names the setting; everything else passes."""
    try:
        yield
    except Exception as error:
        sentence = refusal(error, configuration)
        if sentence is None:
            raise
        raise UsageError(sentence) from None


def refusal(error: BaseException, configuration: BigQueryConfiguration) -> str | None:
    """One sentence for a refusal of Google's that lies anywhere beneath an error; None for all other errors."""
    for cause in _causes(error):
        if isinstance(cause, GoogleAuthError | Unauthorized):
            return f"Google refuses the credentials, they may have expired: {LOGIN} ({_first_line(cause)})"
        if isinstance(cause, Forbidden):
            return (
                f"the credentials may not do this in the Google project {project(configuration)}: check "
                "DESTINATION__BIGQUERY__PROJECT_ID, and that the account has the roles bigquery.dataEditor and "
                f"bigquery.jobUser ({_first_line(cause)})"
            )
        if isinstance(cause, NotFound):
            return (
                f"it is not in the Google project {project(configuration)} at {configuration.location}: check "
                f"DESTINATION__BIGQUERY__PROJECT_ID and DESTINATION__BIGQUERY__LOCATION ({_first_line(cause)})"
            )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, by Python's chain or by dlt's attributes."""
    seen: list[BaseException] = [error]
    for found in seen:
        yield found
        beneath = [getattr(found, name, None) for name in ("exception", "client_exception", "dbapi_exception")]
        seen += [
            cause
            for cause in (*beneath, *found.args, found.__cause__)
            if isinstance(cause, BaseException) and cause not in seen
        ]


def _first_line(error: BaseException) -> str:
    text = getattr(error, "message", None) or (error.args[0] if error.args else "") or type(error).__name__
    return str(text).splitlines()[0][:300]
