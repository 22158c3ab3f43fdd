#!/bin/sh
# start.sh CONFIGURATION PORT FOLDER: Radicale on 127.0.0.1:PORT, keeping its collections in FOLDER.
# Its file of names and passwords is a secret: it lies sealed on the disk, and here in memory.
exec /usr/bin/python3 -m radicale --config "$1" --hosts "127.0.0.1:$2" --storage-filesystem-folder "$3" \
  --auth-htpasswd-filename "$CREDENTIALS_DIRECTORY/calendar_users"
