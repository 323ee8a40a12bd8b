-- A day's use of the database that chat.sql made: about 1 % of the rows of its large tables
-- change, spread at random, and 1 % are added. Each run is another day with other rows.

BEGIN;

SELECT nextval('usage_day');

-- People edit what they asked, models answer again.
UPDATE message
SET content = content || E'\n\nEdited on day ' || day.last_value || ': ' || md5(id || ' ' || day.last_value),
    edited_at = created_at + day.last_value * interval '1 day'
FROM (SELECT max(last_value) AS last_value FROM usage_day) AS day
WHERE abs(hashint8extended(id, day.last_value)) % 100 = 0;

UPDATE chat
SET title = left(title, 40) || ' (day ' || day.last_value || ')', archived = NOT archived
FROM (SELECT max(last_value) AS last_value FROM usage_day) AS day
WHERE abs(hashint8extended(number, day.last_value + 1000)) % 100 = 0;

-- New chats, and new messages in old ones: the words come from messages that are there.
INSERT INTO chat
SELECT md5('chat' || top.number + n)::uuid, top.number + n, 1 + n % 200, 'Day ' || day.last_value || ', chat ' || n, false,
       jsonb_build_object('models', jsonb_build_array('support'), 'day', day.last_value),
       top.at + n * interval '3 minutes', top.at + n * interval '3 minutes'
FROM (SELECT max(last_value) AS last_value FROM usage_day) AS day, generate_series(1, 80) AS n,
     (SELECT max(number) AS number, max(created_at) AS at FROM chat) AS top;

INSERT INTO message (chat_id, role, model_id, content, meta, created_at)
SELECT c.id, old.role, old.model_id,
       reverse(left(old.content, 20)) || ' ' || substr(old.content, 20) || ' ' || md5(old.id || ' ' || day.last_value),
       old.meta || jsonb_build_object('day', day.last_value),
       old.created_at + interval '600 days'
FROM (SELECT max(last_value) AS last_value FROM usage_day) AS day
JOIN message old ON abs(hashint8extended(old.id, day.last_value + 2000)) % 100 = 0
JOIN chat c ON c.number = 1 + abs(hashint8extended(old.id, day.last_value + 3000)) % 8000;

DELETE FROM chat_tag USING (SELECT max(last_value) AS last_value FROM usage_day) AS day
WHERE abs(hashint8extended(tag_id, day.last_value + 4000)) % 200 = 0;

COMMIT;
