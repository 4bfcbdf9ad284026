"""The gunicorn configuration of the service, but with one socket for all workers."""

from runpy import run_path

globals().update(run_path('gunicorn.conf.py'), reuse_port=False)
