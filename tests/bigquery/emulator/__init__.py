"""A local BigQuery: the package `local-bigquery`, and the documented behaviours of BigQuery that it lacks.

It runs in an environment of its own (`.emulator`, Python 3.13 or newer); `running` is the tests' side of it and needs
nothing of that environment.
"""
