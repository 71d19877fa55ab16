"""Sub-commands that this project adds to `dlt pipeline`."""
