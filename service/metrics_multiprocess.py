"""The directory through which prometheus-client aggregates metrics across worker processes."""

import os
import shutil
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from service.config import SettingError

DIRECTORY_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'  # prometheus-client reads it when it is imported
PREFIX = 'halcyon-metrics-'
# Each process has a file of each kind; gauges have a kind for each multiprocess_mode.
FILE_KINDS = ('counter', 'histogram', 'gauge_livesum', 'gauge_livemax', 'gauge_livemostrecent')
FILE_BYTES = 1 << 20  # the initial size in prometheus-client


@lru_cache(maxsize=1)
def create_directory() -> str:
    """Create the directory for this process and its children, once; raises SettingError.

    Its parent is the directory that the variable names, or else the one for temporary files.
    """
    parent = os.environ.get(DIRECTORY_VARIABLE)
    if parent and os.path.basename(parent).startswith(PREFIX):  # inherited from the old master, after USR2
        parent = os.path.dirname(parent)
    try:
        os.environ[DIRECTORY_VARIABLE] = tempfile.mkdtemp(prefix=PREFIX, dir=parent or None)
    except OSError as error:
        place = f'{parent!r}, which {DIRECTORY_VARIABLE} names' if parent else repr(tempfile.gettempdir())
        raise SettingError(f'METRICS: cannot create a directory in {place}: {error.strerror}') from None
    return os.environ[DIRECTORY_VARIABLE]


def allocate_files() -> None:
    """Create the files of this process, and the directory if it was deleted; raises OSError.

    prometheus-client maps sparse files into memory, and writing to one raises SIGBUS if the disk is full.
    """
    directory = create_directory()
    os.makedirs(directory, mode=0o700, exist_ok=True)
    for kind in FILE_KINDS:
        path = os.path.join(directory, f'{kind}_{os.getpid()}.db')
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, FILE_BYTES)
        finally:
            os.close(file)


def forget_ended_processes() -> None:
    """Remove the live gauges of processes that have ended; their counters stay."""
    from prometheus_client.multiprocess import mark_process_dead  # after the variable is set

    for file in Path(create_directory()).glob('gauge_live*.db'):
        pid = int(file.stem.rpartition('_')[2])
        if not _is_running(pid):
            with suppress(FileNotFoundError):  # another worker was faster
                mark_process_dead(pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a process of another user
        pass
    return True


def delete_directory() -> None:
    """Delete the directory."""
    shutil.rmtree(create_directory(), ignore_errors=True)
