-- 1 % more accounts. Variables: accounts.

INSERT INTO pgbench_accounts (aid, bid, abalance, filler)
SELECT n, 1 + (n - 1) / 100000, 0, '' FROM generate_series(:accounts + 1, :accounts + 1 + :accounts / 100) AS n;
