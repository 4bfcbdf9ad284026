"""Markers that tell whether an ambiguous commit took effect."""

import peewee

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.session import Session

MAX_AGE_MILLISECONDS = 86_400_000


class Commit(peewee.Model):
    """The number of the last committed transaction of a writer, which is a thread of a process."""

    writer = peewee.BigIntegerField(primary_key=True)
    number = peewee.BigIntegerField()
    committed_at = peewee.BigIntegerField()

    class Meta:
        table_name = 'commits'


_FIND = CompiledQuery(
    Commit.select(Commit.number).where(Commit.writer == bindparam('writer')), for_update=True
)
_UPDATE = CompiledQuery(
    Commit.update({Commit.number: bindparam('number'), Commit.committed_at: bindparam('committed_at')}).where(
        Commit.writer == bindparam('writer')
    )
)
_INSERT = insert_into(Commit)
_DELETE_OLD = CompiledQuery(Commit.delete().where(Commit.committed_at < bindparam('past')))


class CommitMarker:
    """The marker of one transaction, which tells whether a COMMIT that was not acknowledged took effect.

    If a connection breaks after COMMIT was sent and before it was acknowledged, only the database can tell.
    So each transaction writes its number into the row of its writer, as its last statement: the marker is
    committed with the effect, or not at all. The next attempt reads it first. It waits for an attempt that
    the server is still processing, because of the lock of the row, or the primary key of a new row; on
    Galera, a node that has not received the row yet fails when it writes the same row.
    """

    def __init__(self, session: Session) -> None:
        session.writer.transactions += 1
        self._values = {'writer': session.writer.id, 'number': session.writer.transactions}
        self._is_written = False

    def was_committed(self, session: Session) -> bool:
        """Return whether an earlier attempt took effect; called at the beginning of the next one."""
        if not self._is_written:
            return False
        row = _FIND.first(session, writer=self._values['writer'])
        return row is not None and row[0] == self._values['number']

    def write(self, session: Session) -> None:
        """Write the marker, immediately before COMMIT."""
        now = session.now()
        if not _UPDATE.execute(session, committed_at=now, **self._values):
            _DELETE_OLD.run(session, past=now - MAX_AGE_MILLISECONDS)  # of writers that have ended
            _INSERT.run(session, committed_at=now, **self._values)
        self._is_written = True
