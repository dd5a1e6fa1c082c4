-- name: task_insert
-- A new task.  Zero rows: an unarchived task holds its idempotency key.
INSERT INTO task (rev, status, phase, title, body, assignee, priority, tenant, creator, session_id, skills, model,
                  provider, template_id, step_key, origin_id, idempotency_key, command, check_command, artifacts,
                  start_after, max_runtime_ms, max_attempts, backoff, goal, goal_turns, workspace_kind,
                  workspace_path, branch, not_before, attempts, failures_work, failures_review, violations,
                  stale_streak, quota_rounds, block_kind, block_reason, loop_count, created_at, changed_at, touched_at)
VALUES (1, :status, 'work', :title, :body, :assignee, :priority, :tenant, :creator, :session_id, :skills, :model,
        :provider, :template_id, :step_key, :origin_id, :idempotency_key, :command, :check_command, :artifacts,
        :start_after, :max_runtime_ms, :max_attempts, :backoff, :goal, :goal_turns, :workspace_kind,
        :workspace_path, :branch, :not_before, 0, 0, 0, 0, 0, 0, :block_kind, :block_reason, 0, :now, :now, :now)
ON CONFLICT (idempotency_key) WHERE status <> 'archived' AND idempotency_key IS NOT NULL DO NOTHING
RETURNING id

-- name: task_get
SELECT * FROM task WHERE id = :id

-- name: task_lock
-- The task, locked until the transaction ends; every verb begins with it.
SELECT * FROM task WHERE id = :id @lock

-- name: task_lock_of_run
SELECT * FROM task WHERE id = (SELECT run.task_id FROM run WHERE run.id = :run_id) @lock

-- name: task_by_key
SELECT * FROM task WHERE idempotency_key = :key AND status <> 'archived'

-- name: task_apply
-- The one statement that changes a task's status.  Zero rows: someone was first.
UPDATE task
   SET rev = :rev, status = :status, phase = :phase, not_before = :not_before, forced_at = :forced_at,
       decomposed_at = :decomposed_at, current_run = :current_run, attempts = :attempts,
       failures_work = :failures_work, failures_review = :failures_review, violations = :violations,
       stale_streak = :stale_streak, quota_rounds = :quota_rounds, block_kind = :block_kind,
       block_reason = :block_reason, loop_kind = :loop_kind, loop_count = :loop_count,
       archived_from = :archived_from, last_error = :last_error, summary = :summary, result = :result,
       metadata = :metadata, changed_at = :changed_at, touched_at = :touched_at, started_at = :started_at,
       ended_at = :ended_at, succeeded_at = :succeeded_at
 WHERE id = :id AND rev = :rev - 1

-- name: task_edit
-- What a person may rewrite; the status is not among it.
UPDATE task
   SET rev = rev + 1, title = :title, body = :body, assignee = :assignee, priority = :priority, tenant = :tenant,
       skills = :skills, model = :model, provider = :provider, template_id = :template_id, step_key = :step_key,
       session_id = :session_id, command = :command, check_command = :check_command, artifacts = :artifacts,
       start_after = :start_after, max_runtime_ms = :max_runtime_ms, max_attempts = :max_attempts,
       backoff = :backoff, goal = :goal, goal_turns = :goal_turns, workspace_kind = :workspace_kind,
       workspace_path = :workspace_path, branch = :branch, not_before = :not_before, forced_at = :forced_at,
       failures_work = :failures_work, failures_review = :failures_review, violations = :violations,
       stale_streak = :stale_streak, quota_rounds = :quota_rounds, changed_at = :changed_at, touched_at = :touched_at
 WHERE id = :id AND rev = :rev

-- name: task_delete
DELETE FROM task WHERE id = :id AND rev = :rev

-- name: task_list
-- Open to the eye first: highest priority, then oldest.  The cursor is the last row's (priority, id).
SELECT * FROM task
 WHERE (CAST(:statuses AS TEXT) IS NULL AND status <> 'archived' OR status IN @each(statuses))
   AND (CAST(:assignee AS TEXT) IS NULL OR assignee = :assignee)
   AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
   AND (CAST(:session_id AS TEXT) IS NULL OR session_id = :session_id)
   AND (CAST(:template_id AS TEXT) IS NULL OR template_id = :template_id)
   AND (CAST(:step_key AS TEXT) IS NULL OR step_key = :step_key)
   AND (CAST(:creator AS TEXT) IS NULL OR creator = :creator)
   AND (CAST(:origin_id AS BIGINT) IS NULL OR origin_id = :origin_id)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')
   AND priority <= :last_priority AND (priority < :last_priority OR id > :last_id)
 ORDER BY priority DESC, id LIMIT :limit

-- name: task_list_sorted
-- The same filters in any other order; the cursor is an offset.
SELECT * FROM task
 WHERE (CAST(:statuses AS TEXT) IS NULL AND status <> 'archived' OR status IN @each(statuses))
   AND (CAST(:assignee AS TEXT) IS NULL OR assignee = :assignee)
   AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
   AND (CAST(:session_id AS TEXT) IS NULL OR session_id = :session_id)
   AND (CAST(:template_id AS TEXT) IS NULL OR template_id = :template_id)
   AND (CAST(:step_key AS TEXT) IS NULL OR step_key = :step_key)
   AND (CAST(:creator AS TEXT) IS NULL OR creator = :creator)
   AND (CAST(:origin_id AS BIGINT) IS NULL OR origin_id = :origin_id)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')
 ORDER BY CASE CAST(:sort AS TEXT) WHEN 'created' THEN id WHEN 'created-desc' THEN -id WHEN 'priority' THEN priority
                                   WHEN 'updated' THEN -changed_at ELSE 0 END,
          CASE CAST(:sort AS TEXT) WHEN 'status' THEN status WHEN 'assignee' THEN COALESCE(assignee, '')
                                   WHEN 'title' THEN LOWER(title) ELSE '' END,
          id
 LIMIT :limit OFFSET :skip

-- name: task_lanes
-- The lanes that have tasks in a status, by one index step each.  The cast keeps SQLite from preparing the
-- statement anew at each call: it would compare a bare parameter with the conditions of the partial indexes.
WITH RECURSIVE found (lane) AS (
    SELECT MIN(lane) FROM task WHERE status = CAST(:status AS TEXT)
    UNION ALL
    SELECT (SELECT MIN(task.lane) FROM task WHERE task.status = CAST(:status AS TEXT) AND task.lane > found.lane)
      FROM found WHERE found.lane IS NOT NULL
)
SELECT lane FROM found WHERE lane IS NOT NULL

-- name: task_look
-- The first tasks of a lane that may start now.  The cast is explained at task_lanes.
SELECT * FROM startable
 WHERE status = CAST(:status AS TEXT) AND lane = :lane AND (not_before IS NULL OR not_before <= :now)
   AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.scope = 'task' AND hold.name = CAST(startable.id AS TEXT)
                                        AND hold.until > :now)
 ORDER BY priority DESC, id LIMIT :limit

-- name: task_pick
-- The same, locked; what another host holds at this moment is left out.
SELECT * FROM startable
 WHERE status = CAST(:status AS TEXT) AND lane = :lane AND (not_before IS NULL OR not_before <= :now)
   AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.scope = 'task' AND hold.name = CAST(startable.id AS TEXT)
                                        AND hold.until > :now)
 ORDER BY priority DESC, id LIMIT :limit @lock_skip

-- name: task_queued
-- All that waits in a lane, whatever holds it back; what another host holds at this moment is left out.
SELECT * FROM task WHERE status = CAST(:status AS TEXT) AND lane = :lane ORDER BY priority DESC, id LIMIT :limit @lock_skip

-- name: task_held
-- Queued tasks that a pause or a guard of their own holds back.  Holds are few, so they are looked at first.
SELECT task.id, task.lane, hold.code, hold.reason
  FROM hold CROSS JOIN task
 WHERE hold.scope = 'task' AND (hold.code = 'paused' OR hold.until > :now) AND task.status IN ('ready', 'review')
   AND task.id = CASE WHEN hold.scope = 'task' THEN CAST(hold.name AS BIGINT) END
 ORDER BY task.id + 0 LIMIT :limit

-- name: task_leaving
-- Tasks that wait for the last process of an earlier attempt.  Living runs are few, so they are looked at first.
SELECT task.id, run.id FROM run CROSS JOIN task
 WHERE run.gone_at IS NULL AND task.id = run.task_id AND task.status IN ('ready', 'review')
 ORDER BY task.id + 0 LIMIT :limit

-- name: task_unassigned
SELECT * FROM task WHERE status = 'ready' AND lane = '' ORDER BY priority DESC, id LIMIT :limit

-- name: task_due
-- The status is no bare column here, so that the index of times is used: few times have passed, many tasks wait.
SELECT id FROM task WHERE status || '' = 'scheduled' AND not_before IS NOT NULL AND not_before <= :now
 ORDER BY not_before LIMIT :limit

-- name: task_next_due
-- The next moment at which a parked task comes due, or a queued one may start again.
SELECT not_before FROM task
 WHERE not_before IS NOT NULL AND not_before > :now AND status || '' IN ('scheduled', 'ready', 'review')
 ORDER BY not_before LIMIT 1

-- name: task_todo_after
-- A window of waiting tasks that wait for nobody: what the promotion sweep repairs.
SELECT id FROM task WHERE status = 'todo' AND id > :after
   AND NOT EXISTS (SELECT 1 FROM open_link WHERE open_link.child_id = task.id)
 ORDER BY id LIMIT :limit

-- name: task_wrongly_ready
-- Ready tasks with an unfinished parent that nobody forced: what the demotion sweep repairs.
SELECT DISTINCT task.id FROM open_link JOIN task ON task.id = open_link.child_id
 WHERE task.status = 'ready' AND task.forced_at IS NULL ORDER BY task.id LIMIT :limit

-- name: task_counts
SELECT status, COUNT(*) FROM task GROUP BY status

-- name: task_counts_by_lane
SELECT lane, status, COUNT(*) FROM task WHERE status <> 'archived' GROUP BY lane, status ORDER BY lane, status

-- name: task_oldest_ready
SELECT MIN(changed_at) FROM task WHERE status = 'ready'

-- name: task_progress
-- Of the tasks that came from this one: how many there are, and how many are done.
SELECT COUNT(*), COALESCE(SUM(CASE WHEN status = 'done' OR archived_from = 'done' THEN 1 ELSE 0 END), 0)
  FROM task WHERE origin_id = :id

-- name: task_forget_origin
UPDATE task SET origin_id = NULL WHERE origin_id = :id

-- name: task_retained
-- Ended tasks whose last change is older than the moment given.
SELECT id FROM task WHERE status IN ('done', 'cancelled', 'archived') AND changed_at < :before
   AND EXISTS (SELECT 1 FROM event WHERE event.task_id = task.id AND event.at < :before)
 ORDER BY id LIMIT :limit
