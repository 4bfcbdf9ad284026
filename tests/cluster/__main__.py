"""Runs scenarios for any duration: `python -m tests.cluster --seconds 120`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from tests.cluster.load import table
from tests.cluster.scenarios import SCENARIOS


@click.command()
@click.option('--seconds', default=60.0, show_default=True, help='Duration of each scenario.')
@click.argument('names', nargs=-1)
def main(seconds: float, names: tuple[str, ...]) -> None:
    """Run the scenarios NAMES, by default all, and print the table of results."""
    rows = []
    for scenario in SCENARIOS:
        if names and scenario.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory(prefix='halcyon-cluster-') as folder:
            Path(folder).chmod(0o755)
            click.echo(f'{scenario.__name__} …', err=True)
            rows.append(scenario(Path(folder), seconds))
    click.echo(table(rows))
    sys.exit(not all(row.is_correct for row in rows))


if __name__ == '__main__':
    main(prog_name='python -m tests.cluster')
