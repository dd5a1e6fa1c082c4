-- name: hold_put
-- Written when it changes: an equal hold leaves the row, and its `since`, as they are.
INSERT INTO hold (scope, name, code, since, until, reason, actor)
VALUES (:scope, :name, :code, :now, :until, :reason, :actor)
ON CONFLICT (scope, name, code) DO UPDATE
   SET until = excluded.until, reason = excluded.reason, actor = excluded.actor
 WHERE COALESCE(hold.until, 0) <> COALESCE(excluded.until, 0) OR hold.reason <> excluded.reason

-- name: hold_drop
DELETE FROM hold WHERE scope = :scope AND name = :name AND code = :code

-- name: hold_drop_all
DELETE FROM hold WHERE scope = :scope AND name = :name AND code <> 'paused'

-- name: hold_drop_task
DELETE FROM hold WHERE scope = 'task' AND name = :name

-- name: hold_drop_expired
-- Guards and pauses that ended by themselves.
DELETE FROM hold WHERE until <= :now

-- name: hold_of
SELECT * FROM hold WHERE scope = :scope AND name = :name ORDER BY since, code

-- name: hold_all
SELECT * FROM hold ORDER BY scope, name, code
