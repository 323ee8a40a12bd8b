-- A day: 1 % of the rows of both large tables, chosen at random. Updated rows move to the end of
-- their table, as they do in life. The rows that are added follow in add.sql.
-- Variables: seed.

UPDATE pgbench_accounts
SET abalance = abalance + 1 + (abs(hashint8extended(aid, :seed + 1)) % 5000)::int
WHERE hashint8extended(aid, :seed) % 100 = 0;
UPDATE message
SET content = content || E'\n\nEdited: ' || md5(:'seed' || id),
    edited_at = created_at + id % 1000 * interval '1 minute'
WHERE hashint8extended(id, :seed) % 100 = 0;
