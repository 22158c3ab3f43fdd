#!/bin/sh
# dump.sh FOLDER: all bookings into a file of FOLDER, named after the moment; the newest fourteen stay.
set -eu
folder=$1
PGPASSWORD=$(cat "$CREDENTIALS_DIRECTORY/database_password")
export PGPASSWORD
file=$folder/bookings-$(date -u +%Y-%m-%dT%H-%M-%SZ).dump
pg_dump --format=custom --file="$file.new" "$DATABASE"
pg_restore --list "$file.new" >/dev/null   # it can be read
sync "$file.new"
mv "$file.new" "$file"                     # so what has the name is whole
ls "$folder"/bookings-*.dump | sort -r | tail -n +15 | xargs -r rm --
du -h "$file"
