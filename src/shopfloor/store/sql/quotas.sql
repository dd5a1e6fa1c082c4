-- name: quota_all
-- Locked where something may be started, so that two hosts never start a probe each.
SELECT * FROM quota ORDER BY account @lock

-- name: quota_lock
SELECT * FROM quota WHERE account = :account @lock

-- name: quota_add
-- Zero rows: somebody else has written that the account reached its limit.
INSERT INTO quota (account, state, since, until, rounds, probe_run, reason, opened_at)
VALUES (:account, :state, :since, :until, :rounds, :probe_run, :reason, :opened_at)
ON CONFLICT (account) DO NOTHING

-- name: quota_put
UPDATE quota SET state = :state, since = :since, until = :until, rounds = :rounds, probe_run = :probe_run,
       reason = :reason, opened_at = :opened_at
 WHERE account = :account

-- name: quota_drop
DELETE FROM quota WHERE account = :account

-- name: quota_next
-- The next moment at which an account may be tried.
SELECT MIN(until) FROM quota WHERE state <> 'probing' AND until > :now
