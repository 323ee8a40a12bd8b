#!/bin/bash
# Runs once, when the database is made: a role that can read everything and change nothing.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/backup)" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE backup LOGIN PASSWORD :'password' IN ROLE pg_read_all_data;
SQL
