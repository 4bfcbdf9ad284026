"""The directory through which prometheus-client aggregates metrics across worker processes."""

import os
import shutil
import tempfile
from functools import lru_cache

DIRECTORY_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'  # prometheus-client reads it when it is imported


@lru_cache(maxsize=1)
def create_directory() -> str:
    """Create the directory for this process and its children, unless a reload of gunicorn finds it."""
    os.environ[DIRECTORY_VARIABLE] = tempfile.mkdtemp(prefix='halcyon-metrics-')
    return os.environ[DIRECTORY_VARIABLE]


def forget_process(pid: int) -> None:
    """Remove the live gauges of a process that has ended; its counters stay."""
    from prometheus_client.multiprocess import mark_process_dead  # after the variable is set

    mark_process_dead(pid)


def delete_directory() -> None:
    """Delete the directory."""
    shutil.rmtree(create_directory(), ignore_errors=True)
