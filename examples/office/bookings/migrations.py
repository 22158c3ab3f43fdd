"""Brings the database to what this version needs: each file of schema/ once, in the order of their names.

All in one transaction: a version that does not get through leaves the database as it was, and the version before it runs
on. Files that were applied stay as they are; a change is a new file.
"""
import pathlib

import psycopg

FILES = sorted((pathlib.Path(__file__).parent / "schema").glob("*.sql"))


def apply(database, password):
    with psycopg.connect(database, password=password) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS applied (file text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
        connection.execute("LOCK TABLE applied")  # one at a time
        done = {name for name, in connection.execute("SELECT file FROM applied")}
        for file in FILES:
            if file.name in done:
                continue
            print(f"applies {file.name}", flush=True)
            connection.execute(file.read_text())
            connection.execute("INSERT INTO applied (file) VALUES (%s)", (file.name,))
    print("the database is as this version needs it", flush=True)
