"""The bookings in PostgreSQL."""
import dataclasses
import datetime
import time
import uuid

import psycopg
import psycopg.errors
import psycopg_pool

SHOWN = 100
PATIENCE_SECONDS = 20


class Refused(Exception):
    """What was asked for cannot be; the text is for the person who asked."""


@dataclasses.dataclass
class Booking:
    ticket: uuid.UUID
    room: str
    who: str
    begins: datetime.datetime
    ends: datetime.datetime


class Store:
    """Threads: any. While PostgreSQL restarts, a call waits for it; it fails with psycopg.OperationalError after
    PATIENCE_SECONDS. That is safe to do because every call may be repeated: a ticket is a booking once."""

    def __init__(self, database, password):
        # Opened in the background: the pages start, and say what is wrong, also while PostgreSQL is away. What could not be
        # connected is given up soon, and tried anew for the next question: pauses that grow would outlast PostgreSQL's.
        self._pool = psycopg_pool.ConnectionPool(database, kwargs={"password": password, "autocommit": True}, min_size=2, max_size=8,
                                                 timeout=2, reconnect_timeout=3, open=False)
        self._pool.open()

    def close(self):
        self._pool.close()

    def rooms(self):
        return [name for name, in self._ask("SELECT name FROM room ORDER BY name")]

    def coming(self):
        """The bookings that are not over, the next first."""
        rows = self._ask("SELECT ticket, room, who, lower(during), upper(during) FROM booking WHERE upper(during) > localtimestamp "
                         "ORDER BY lower(during), room LIMIT %s", SHOWN)
        return [Booking(*row) for row in rows]

    def book(self, booking):
        """Durable when it returns."""
        try:
            self._ask("INSERT INTO booking (ticket, room, who, during) VALUES (%s, %s, %s, tsrange(%s, %s)) "
                      "ON CONFLICT (ticket) DO NOTHING RETURNING 1",
                      booking.ticket, booking.room, booking.who, booking.begins, booking.ends)
        except psycopg.errors.ExclusionViolation:
            raise Refused(f"{booking.room} is taken at that time.") from None
        except psycopg.errors.ForeignKeyViolation:
            raise Refused(f"There is no room “{booking.room}”.") from None

    def _ask(self, question, *values):
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._pool.connection() as connection:
                    return connection.execute(question, values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
