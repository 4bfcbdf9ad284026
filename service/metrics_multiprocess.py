"""What the processes of one server share so that each can say what all have counted: a folder of files."""

import os
import shutil
import tempfile
from functools import lru_cache

DIRECTORY_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'  # what prometheus-client reads when it is imported


@lru_cache(maxsize=1)
def create_directory() -> str:
    """Have this process and those it makes count in a new folder; a reload of the settings keeps it."""
    os.environ[DIRECTORY_VARIABLE] = tempfile.mkdtemp(prefix='halcyon-metrics-')
    return os.environ[DIRECTORY_VARIABLE]


def forget_process(pid: int) -> None:
    """Let what a process has at the moment count no more: it has ended. What it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # reads DIRECTORY_VARIABLE as it is imported

    mark_process_dead(pid)


def delete_directory() -> None:
    """Delete the folder."""
    shutil.rmtree(create_directory(), ignore_errors=True)
