#!/bin/sh
# prepare.sh FOLDER: makes the cluster in FOLDER if there is none, and sets the roles, the database and their passwords.
#
# Runs once per deploy, while no PostgreSQL runs on FOLDER (its volume has one writer), as the service's user. Running it
# again changes nothing but the passwords, which become what the secrets say: so a password is changed by changing it
# in the secrets and deploying.
set -eu
programs=/usr/lib/postgresql/15/bin
data=$1

if [ ! -e "$data/PG_VERSION" ]; then
  # A run that was killed in the middle leaves no half cluster: it is made beside, and moved into place.
  rm -rf "$data.new"
  "$programs/initdb" --pgdata="$data.new" --username=postgres --pwfile="$CREDENTIALS_DIRECTORY/database_admin" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
  mv "$data.new" "$data"
fi

# One process, no port, nobody else: PostgreSQL's single-user mode reads commands, each ended by an empty line. A failed
# one ends it, and is not logged, for it may hold a password.
admin() {
  "$programs/postgres" --single -j -D ./database -c data_directory="$data" -c exit_on_error=on \
    -c log_min_error_statement=panic postgres
}
quoted() { printf "'%s'" "$(sed "s/'/''/g" "$CREDENTIALS_DIRECTORY/$1")"; }

admin >/dev/null <<SQL
DO 'BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ''bookings'') THEN CREATE ROLE bookings LOGIN; END IF; END';

ALTER ROLE postgres PASSWORD $(quoted database_admin);

ALTER ROLE bookings PASSWORD $(quoted database_password);

SQL
databases=$(echo 'SELECT datname FROM pg_database;' | admin)
case $databases in
  *'"bookings"'*) ;;
  *) echo 'CREATE DATABASE bookings OWNER bookings;' | admin >/dev/null ;;
esac
echo "the cluster in $data is ready"
