-- name: fsck_running_without_run
SELECT task.id FROM task LEFT JOIN run ON run.id = task.current_run
 WHERE task.status = 'running' AND (run.id IS NULL OR run.task_id <> task.id OR run.ended_at IS NOT NULL)

-- name: fsck_open_run_without_task
SELECT run.id FROM run JOIN task ON task.id = run.task_id
 WHERE run.ended_at IS NULL AND (task.status <> 'running' OR task.current_run <> run.id)

-- name: fsck_open_run_unowned
-- An open run names its host, or is one that an outside worker pulled, and has a lease.
SELECT id FROM run WHERE ended_at IS NULL AND (lease_until IS NULL OR host IS NULL)

-- name: fsck_several_live_runs
SELECT task_id FROM run WHERE gone_at IS NULL GROUP BY task_id HAVING COUNT(*) > 1

-- name: fsck_ready_with_open_parent
SELECT DISTINCT task.id FROM open_link JOIN task ON task.id = open_link.child_id
 WHERE task.status = 'ready' AND task.forced_at IS NULL

-- name: fsck_status_not_told
-- The last event that names a status must name the row's.
SELECT task.id, task.status, told.status FROM task LEFT JOIN event told ON told.id = (
    SELECT MAX(event.id) FROM event WHERE event.task_id = task.id AND event.status IS NOT NULL)
 WHERE told.status IS NULL OR told.status <> task.status

-- name: fsck_forced_not_told
SELECT task.id FROM task WHERE task.forced_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM event WHERE event.task_id = task.id
                      AND event.kind IN ('promoted_manual', 'snapshot') AND event.at >= task.forced_at)

-- name: fsck_origin_gone
SELECT task.id FROM task LEFT JOIN task origin ON origin.id = task.origin_id
 WHERE task.origin_id IS NOT NULL AND origin.id IS NULL

-- name: fsck_todo_that_waits_for_nobody
SELECT id FROM task WHERE status = 'todo' AND NOT EXISTS (SELECT 1 FROM open_link WHERE open_link.child_id = task.id)

-- name: fsck_edges
SELECT source, target FROM task_edge ORDER BY source, target

-- name: fsck_question_of_ended_task
SELECT DISTINCT task.id FROM question JOIN task ON task.id = question.task_id
 WHERE question.answered_at IS NULL AND task.status IN ('done', 'cancelled', 'archived')

-- name: fsck_question_without_run
SELECT DISTINCT question.task_id FROM question LEFT JOIN run ON run.id = question.run_id
 WHERE run.id IS NULL OR run.task_id <> question.task_id

-- name: fsck_spend_of_another_task
SELECT spend.run_id FROM spend JOIN run ON run.id = spend.run_id WHERE run.task_id <> spend.task_id
