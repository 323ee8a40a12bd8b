-- Data set P, all but the rows of "user", chat and message, which come between tables.sql and
-- this: what PostgreSQL's own pgbench makes (without its program, which takes whole scales only),
-- small tables, large objects, views, sequences, keys and indexes.
-- Variables: accounts, branches, objects, seed.

INSERT INTO pgbench_branches (bid, bbalance) SELECT n, 0 FROM generate_series(1, :branches) AS n;
INSERT INTO pgbench_tellers (tid, bid, tbalance)
SELECT n, 1 + (n - 1) / 10, 0 FROM generate_series(1, 10 * :branches) AS n;
INSERT INTO pgbench_accounts (aid, bid, abalance, filler)
SELECT n, 1 + (n - 1) / 100000, 0, '' FROM generate_series(1, :accounts) AS n;

SELECT format('CREATE TABLE small_%s (id int PRIMARY KEY, name text NOT NULL UNIQUE, '
              'amount numeric(12, 2), at timestamptz%s)', n,
              CASE WHEN n % 4 = 0 THEN format(', other int REFERENCES small_%s', n - 1) ELSE '' END)
FROM generate_series(1, 200) AS n \gexec
SELECT format('INSERT INTO small_%s SELECT n, ''%s '' || n, n * 1.25, '
              'timestamptz ''2026-01-01 00:00:00+00'' + n * interval ''1 day'' '
              'FROM generate_series(1, 20) AS n', n, md5(:'seed' || n))
FROM generate_series(1, 200) AS n \gexec
CREATE SEQUENCE ticket START 1000;
SELECT setval('ticket', 1000 + :accounts);

-- Uploads of 64 KiB that do not compress.
SELECT count(lo_from_bytea((100000 + n)::oid, content)) FROM (
    SELECT n, string_agg(sha256((:'seed' || n || '/' || i)::bytea), ''::bytea ORDER BY i) AS content
    FROM generate_series(1, :objects) AS n, generate_series(1, 2048) AS i GROUP BY n
) AS uploads;

ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);
ALTER TABLE "user" ADD PRIMARY KEY (id), ADD UNIQUE (email);
ALTER TABLE chat ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES "user";
ALTER TABLE message ADD PRIMARY KEY (id), ADD FOREIGN KEY (chat_id) REFERENCES chat;
CREATE INDEX chat_user ON chat (user_id, created_at DESC);
CREATE INDEX message_chat ON message (chat_id, created_at);
CREATE INDEX message_edited ON message (edited_at) WHERE edited_at IS NOT NULL;

CREATE VIEW chat_overview AS
SELECT c.id, u.name AS owner, c.title, count(m.id) AS messages, max(m.created_at) AS last_message
FROM chat c JOIN "user" u ON u.id = c.user_id LEFT JOIN message m ON m.chat_id = c.id
GROUP BY c.id, u.name;
CREATE VIEW branch_balance AS SELECT bid, sum(abalance) AS balance FROM pgbench_accounts GROUP BY bid;
CREATE MATERIALIZED VIEW messages_by_role AS SELECT role, count(*) FROM message GROUP BY role;
