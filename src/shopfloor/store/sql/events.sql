-- name: event_append
-- Always deferred to the end of the transaction, so that ids come in the order of the commits.
INSERT INTO event (task_id, run_id, kind, status, actor, at, data)
VALUES (:task_id, :run_id, :kind, :status, :actor, :at, :data)

-- name: event_of_task
SELECT * FROM event
 WHERE task_id = :task_id AND id > :after AND (CAST(:kinds AS TEXT) IS NULL OR kind IN @each(kinds))
 ORDER BY id LIMIT :limit

-- name: event_latest_of_task
SELECT * FROM event WHERE task_id = :task_id AND (CAST(:kinds AS TEXT) IS NULL OR kind IN @each(kinds))
 ORDER BY id DESC LIMIT :limit

-- name: event_rounds_of_review
-- How often a reviewer's run has sent a task back since a person last acted on it.
SELECT COUNT(*) FROM event
 WHERE task_id = :task_id AND kind = 'changes_requested' AND run_id IS NOT NULL
   AND id > COALESCE((SELECT MAX(id) FROM event
                       WHERE task_id = :task_id AND run_id IS NULL AND actor <> :board AND kind IN @each(kinds)), 0)

-- name: event_after
-- The board's events in the order of their commits, of tasks that match.
SELECT event.* FROM event LEFT JOIN task ON task.id = event.task_id
 WHERE event.id > :after
   AND (CAST(:kinds AS TEXT) IS NULL OR event.kind IN @each(kinds))
   AND (CAST(:assignee AS TEXT) IS NULL OR task.assignee = :assignee)
   AND (CAST(:tenant AS TEXT) IS NULL OR task.tenant = :tenant)
 ORDER BY event.id LIMIT :limit

-- name: event_latest
SELECT event.* FROM event LEFT JOIN task ON task.id = event.task_id
 WHERE (CAST(:kinds AS TEXT) IS NULL OR event.kind IN @each(kinds))
   AND (CAST(:assignee AS TEXT) IS NULL OR task.assignee = :assignee)
   AND (CAST(:tenant AS TEXT) IS NULL OR task.tenant = :tenant)
 ORDER BY event.id DESC LIMIT :limit

-- name: event_last_id
SELECT COALESCE(MAX(id), 0) FROM event

-- name: event_prune
-- Old events of one ended task; the snapshot that is written with it tells its status from then on.
DELETE FROM event WHERE task_id = :task_id AND at < :before
