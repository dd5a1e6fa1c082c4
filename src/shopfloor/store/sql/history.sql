-- name: history_last_run
SELECT COALESCE(MAX(id), 0) FROM run

-- name: history_last_task
SELECT COALESCE(MAX(id), 0) FROM task

-- name: history_run_at
-- When the first run from this number on was claimed.  Runs are numbered as they are claimed, and there is no
-- index of times: the beginning of a window is found by halving.
SELECT claimed_at FROM run WHERE id >= :id ORDER BY id LIMIT 1

-- name: history_task_at
SELECT created_at FROM task WHERE id >= :id ORDER BY id LIMIT 1

-- name: history_runs
-- The attempts of workers that were there in a window, the newest first, with what came before each: the end of
-- the task's attempt before it, and when the task came into the queue that it was taken from.
SELECT run.id, run.task_id, task.title, run.role, run.attempt, run.profile, run.host, run.pid, run.pending,
       run.outcome, run.error, run.claimed_at, run.started_at, run.ended_at, run.gone_at,
       task.command IS NOT NULL AND run.role = 'worker',
       (SELECT MAX(event.at) FROM event
         WHERE event.task_id = run.task_id AND event.status IN ('ready', 'review') AND event.at <= run.claimed_at),
       (SELECT MAX(earlier.id) FROM run earlier
         WHERE earlier.task_id = run.task_id AND earlier.id < run.id AND earlier.role <> 'person')
  FROM run JOIN task ON task.id = run.task_id
 WHERE run.id >= :first_id AND run.id < :before AND run.role <> 'person' AND run.claimed_at <= :until
   AND (run.gone_at IS NULL OR run.ended_at >= :since)
   AND (CAST(:profile AS TEXT) IS NULL OR run.profile = :profile)
   AND (CAST(:host AS TEXT) IS NULL OR run.host = :host)
 ORDER BY run.id DESC LIMIT :limit

-- name: history_ends
-- How and when some runs ended.
SELECT id, outcome, ended_at FROM run WHERE id IN @each_int(ids)

-- name: history_ended
-- What ended in a window by time slot, outcome and profile; what a person did by hand has the role person.
SELECT (ended_at - :since) / :slot_ms, outcome, role = 'person', COALESCE(run.profile, ''), COUNT(*),
       CAST(SUM(ended_at - claimed_at) AS BIGINT)
  FROM run
 WHERE id >= :first_id AND ended_at >= :since AND ended_at < :until
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4

-- name: history_created
SELECT (created_at - :since) / :slot_ms, COUNT(*) FROM task
 WHERE id >= :first_id AND created_at >= :since AND created_at < :until GROUP BY 1 ORDER BY 1

-- name: history_spent
-- What was used in a window by time slot and profile; a run counts to the slot in which it was heard of last.
SELECT (at - :since) / :slot_ms, COALESCE(profile, ''), COUNT(*),
       CAST(SUM(input_tokens + output_tokens + cache_write_tokens) AS BIGINT),
       CAST(SUM(cache_read_tokens) AS BIGINT), CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT)
  FROM spend WHERE at >= :since AND at < :until
 GROUP BY 1, 2 ORDER BY 1, 2
