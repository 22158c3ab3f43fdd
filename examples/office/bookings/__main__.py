"""Who has which room when.

  bookings serve --port PORT     the pages, until SIGTERM
  bookings migrate               brings the database to what this version needs: all of it or nothing

$DATABASE says where the database is; its password is the file database_password in $CREDENTIALS_DIRECTORY.
"""
import argparse
import os
import pathlib

import migrations
import store
import web


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["serve", "migrate"])
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    password = pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"], "database_password").read_text().strip()
    if options.task == "migrate":
        migrations.apply(os.environ["DATABASE"], password)
    else:
        web.serve(options.port, store.Store(os.environ["DATABASE"], password))


if __name__ == "__main__":
    main()
