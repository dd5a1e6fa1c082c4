-- name: order_page
-- Tasks with a command of their own, the newest first, each with its state in an order's words and its last attempt.
SELECT task.*, last.id, last.outcome, last.exit_code, last.exit_signal, last.ended_at
  FROM (SELECT task.id AS number,
               CASE COALESCE(task.archived_from, task.status)
                    WHEN 'running' THEN 'running'
                    WHEN 'done' THEN 'completed'
                    WHEN 'cancelled' THEN 'cancelled'
                    WHEN 'blocked' THEN CASE WHEN task.block_kind = 'gave_up' THEN 'failed' ELSE 'queued' END
                    WHEN 'scheduled' THEN CASE WHEN task.attempts > 0 THEN 'retry_scheduled' ELSE 'queued' END
                    ELSE 'queued' END AS state
          FROM task WHERE task.command IS NOT NULL AND task.id < :before) AS found
  JOIN task ON task.id = found.number
  LEFT JOIN run AS last ON last.id = (SELECT MAX(run.id) FROM run WHERE run.task_id = task.id AND run.role = 'worker')
 WHERE (CAST(:states AS TEXT) IS NULL OR found.state IN @each(states))
   AND (:archived = 1 OR task.status <> 'archived')
   AND (CAST(:since AS BIGINT) IS NULL OR task.created_at >= :since)
   AND (CAST(:tenant AS TEXT) IS NULL OR task.tenant = :tenant)
   AND (CAST(:assignee AS TEXT) IS NULL OR task.assignee = :assignee)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(task.title) LIKE :text ESCAPE '\' OR LOWER(task.command) LIKE :text ESCAPE '\')
   AND (CAST(:env AS TEXT) IS NULL OR task.command LIKE :env ESCAPE '\')
 ORDER BY found.number DESC LIMIT :limit

-- name: order_last_attempt
SELECT * FROM run WHERE task_id = :task_id AND role = 'worker' ORDER BY id DESC LIMIT 1

-- name: order_running
SELECT run.* FROM run JOIN task ON task.id = run.task_id
 WHERE run.gone_at IS NULL AND run.ended_at IS NULL AND run.role = 'worker' AND task.command IS NOT NULL
 ORDER BY run.id

-- name: runtime_get
SELECT * FROM runtime WHERE task_id = :task_id

-- name: runtime_put
INSERT INTO runtime (task_id, runtime, mounts, memory_bytes, cpu_millis, pids)
VALUES (:task_id, :runtime, :mounts, :memory_bytes, :cpu_millis, :pids)
ON CONFLICT (task_id) DO UPDATE
   SET runtime = excluded.runtime, mounts = excluded.mounts, memory_bytes = excluded.memory_bytes,
       cpu_millis = excluded.cpu_millis, pids = excluded.pids

-- name: runtime_of
-- The runtimes of certain tasks; most have none.
SELECT * FROM runtime WHERE task_id IN @each_int(tasks)
