"""Configuration of gunicorn for the peers, with the same settings as the service."""

import os

workers = int(os.environ['WEB_CONCURRENCY'])
worker_class = 'gthread'
threads = 12
keepalive = 15
accesslog = '-'
control_socket_disable = True
chdir = os.path.dirname(__file__)
