-- name: subscription_add
-- Zero rows: the target has one of the same already.
INSERT INTO subscription (target, about, kinds, files, creator, created_at, quiet_until)
VALUES (:target, :about, :told, :files, :creator, :now, 0)
ON CONFLICT DO NOTHING RETURNING *

-- name: subscription_held
-- The living one of a target to the same.
SELECT * FROM subscription WHERE about = :about AND target = :target AND ended_at IS NULL @lock

-- name: subscription_get
SELECT * FROM subscription WHERE id = :id

-- name: subscription_list
-- Oldest first; without `everyone` those that have not ended.
SELECT * FROM subscription
 WHERE id > :after AND (:everyone = 1 OR ended_at IS NULL)
   AND (CAST(:about AS TEXT) IS NULL OR about = :about)
   AND (CAST(:target AS TEXT) IS NULL OR target = :target)
 ORDER BY id LIMIT :limit

-- name: subscription_change
UPDATE subscription SET kinds = :told, files = :files WHERE id = :id

-- name: subscription_end
-- Zero rows: it had ended before.
UPDATE subscription SET ended_at = :now, ended_why = :why WHERE id = :id AND ended_at IS NULL

-- name: subscription_end_about
-- All that was subscribed to this.  Deferred, so that the event that ends them is still told.
UPDATE subscription SET ended_at = :now, ended_why = :why WHERE about = :about AND ended_at IS NULL

-- name: subscription_schedule
-- The name of a schedule that is subscribed to.
SELECT name FROM schedule WHERE id = :id

-- name: subscription_quiet
UPDATE subscription SET quiet_until = :until WHERE id = :id

-- name: interest_add
INSERT INTO interest (kind, about, subscription_id)
SELECT wanted.value, CAST(:about AS TEXT), CAST(:subscription_id AS BIGINT) FROM @each(kinds) AS wanted

-- name: interest_add_task
-- Of a task and of all that came from it.
WITH RECURSIVE below (id) AS (
    SELECT CAST(:task_id AS BIGINT)
     UNION
    SELECT task.id FROM below JOIN task ON task.origin_id = below.id
)
INSERT INTO interest (kind, about, subscription_id)
SELECT wanted.value, 'task:' || CAST(below.id AS TEXT), CAST(:subscription_id AS BIGINT)
  FROM below CROSS JOIN @each(kinds) AS wanted

-- name: interest_inherit
-- A task that came from another is followed by whoever follows that one, or the schedule that made it.
INSERT INTO interest (kind, about, subscription_id)
SELECT kind, 'task:' || CAST(:task_id AS TEXT), subscription_id FROM interest
 WHERE about IN ('task:' || CAST(CAST(:origin_id AS BIGINT) AS TEXT),
                 (SELECT 'schedule:' || CAST(MAX(schedule_id) AS TEXT) FROM firing WHERE firing.task_id = CAST(:origin_id AS BIGINT)))

-- name: interest_drop
DELETE FROM interest WHERE subscription_id = :subscription_id

-- name: interest_drop_about
-- Of all that is subscribed to this; comes before `subscription_end_about`.
DELETE FROM interest
 WHERE subscription_id IN (SELECT id FROM subscription WHERE about = :about AND ended_at IS NULL)
