"""The settings that the service runs with, but for the socket: all workers accept from the same one."""

from runpy import run_path

globals().update(run_path('gunicorn.conf.py'), reuse_port=False)
