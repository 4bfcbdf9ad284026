"""Starting the server under gunicorn or granian."""
