-- name: receipt_head
SELECT seq, hash, floor FROM receipt_head

-- name: receipt_head_lock
-- Whoever adds to the chain holds its end until the commit, so that the chain is one with several hosts too.
SELECT seq, hash, floor FROM receipt_head WHERE id = 1 @lock

-- name: receipt_head_move
UPDATE receipt_head SET seq = :seq, hash = :hash WHERE id = 1

-- name: receipt_floor_raise
UPDATE receipt_head SET floor = :floor WHERE id = 1 AND floor < :floor

-- name: receipt_add
INSERT INTO receipt (seq, run_id, task_id, at, previous, hash, body, key, signature)
VALUES (:seq, :run_id, :task_id, :at, :previous, :hash, :body, :key, :signature)

-- name: receipt_get
SELECT * FROM receipt WHERE seq = :seq

-- name: receipt_of_run
SELECT * FROM receipt WHERE run_id = :run_id

-- name: receipt_of_runs
SELECT run_id, seq, hash FROM receipt WHERE run_id IN @each_int(run_ids)

-- name: receipt_latest_of_task
SELECT * FROM receipt WHERE task_id = :task_id ORDER BY seq DESC LIMIT 1

-- name: receipt_page
SELECT * FROM receipt WHERE seq > :after ORDER BY seq LIMIT :limit

-- name: receipt_signed
SELECT * FROM receipt WHERE seq <= :upto AND signature IS NOT NULL ORDER BY seq DESC LIMIT 1

-- name: receipt_newest
SELECT * FROM receipt WHERE seq < :before AND (CAST(:task_id AS BIGINT) IS NULL OR task_id = :task_id)
 ORDER BY seq DESC LIMIT :limit

-- name: receipt_missing
-- Attempts that are over, with nothing of them alive, and that have no receipt.
SELECT run.id FROM run
 WHERE run.id > :floor AND run.gone_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.run_id = run.id)
 ORDER BY run.id LIMIT :limit

-- name: receipt_missing_of_task
SELECT run.id FROM run
 WHERE run.task_id = :task_id AND run.gone_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.run_id = run.id)
 ORDER BY run.id

-- name: receipt_run_floor
-- The last run before the first that is not over; without one, the last of all.
SELECT COALESCE((SELECT MIN(id) - 1 FROM run WHERE gone_at IS NULL), (SELECT MAX(id) FROM run), 0)

-- name: receipt_leaving
-- Attempts that have ended and whose processes have not all gone: their receipts wait for that.
SELECT id FROM run WHERE gone_at IS NULL AND ended_at IS NOT NULL

-- name: receipt_without
-- Which of these attempts have ended without having a receipt, and whether all of their processes have gone.
SELECT run.id, CASE WHEN run.gone_at IS NULL THEN 0 ELSE 1 END FROM run
 WHERE run.id IN @each_int(run_ids) AND run.ended_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.run_id = run.id)
 ORDER BY run.id

-- name: receipt_ended_after
-- The attempts that events after a cursor are about, but for those that say that one began or goes on.
SELECT id, run_id FROM event
 WHERE id > :after AND run_id IS NOT NULL AND kind <> 'claimed' AND kind <> 'heartbeat'
 ORDER BY id LIMIT :limit

-- name: receipt_material
-- What the ledger knows of attempts that are over and have no receipt; who ended it is told by the event of that moment.
SELECT run.id, run.task_id, run.role, run.attempt, run.profile, run.host, run.workspace, run.session_id, run.outcome,
       run.error, run.exit_code, run.exit_signal, run.exit_record, run.claimed_at, run.started_at, run.ended_at,
       run.gone_at, task.rev, task.title, task.body, task.creator, task.tenant, task.command, task.check_command,
       task.created_at,
       (SELECT event.actor FROM event
         WHERE event.task_id = run.task_id AND event.run_id = run.id AND event.at = run.ended_at
         ORDER BY event.id DESC LIMIT 1) AS closed_by,
       spend.model, spend.input_tokens, spend.output_tokens, spend.cache_read_tokens, spend.cache_write_tokens,
       spend.cost_micros
  FROM run
  JOIN task ON task.id = run.task_id
  LEFT JOIN spend ON spend.run_id = run.id
 WHERE run.id IN @each_int(run_ids) AND run.gone_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.run_id = run.id)
 ORDER BY run.ended_at, run.id

-- name: receipt_artifacts
SELECT task_id, run_id, name, size, sha256, created_at FROM attachment WHERE task_id IN @each_int(task_ids) ORDER BY id
