-- name: run_open
INSERT INTO run (task_id, role, attempt, profile, host, token, lease_until, claimed_at)
VALUES (:task_id, :role, :attempt, :profile, :host, :token, :lease_until, :now)
RETURNING id

-- name: run_synthetic
-- A run of no length that keeps the handoff or the reason of a task that was closed or blocked by hand.
INSERT INTO run (task_id, role, attempt, host, token, claimed_at, started_at, outcome, error, summary, result,
                 metadata, ended_at, gone_at)
VALUES (:task_id, 'person', :attempt, '', '', :now, :now, :outcome, :error, :summary, :result,
        :metadata, :now, :now)
RETURNING id

-- name: run_get
SELECT * FROM run WHERE id = :id

-- name: run_holder
-- What every worker's write asks.  The driver describes each column anew at each call, which costs more than its value.
SELECT id, task_id, role, host, token, workspace, heartbeat_note, ended_at FROM run WHERE id = :id

-- name: run_of_task
SELECT * FROM run WHERE task_id = :task_id AND id < :before ORDER BY id DESC LIMIT :limit

-- name: run_live_of_task
SELECT * FROM run WHERE task_id = :task_id AND gone_at IS NULL

-- name: run_identify
-- Who the supervisor is.  Zero rows: the run was closed before it could start, so it must not start.
UPDATE run SET boot_id = :boot_id, pid = :pid, pid_start = :pid_start, workspace = :workspace, started_at = :now
 WHERE id = :id AND ended_at IS NULL AND token = :token

-- name: run_close
-- Every end of a run, once.  Zero rows: it had ended already.
UPDATE run SET outcome = :outcome, error = :error, summary = COALESCE(:summary, summary),
       result = COALESCE(:result, result), metadata = COALESCE(:metadata, metadata), ended_at = :now,
       gone_at = CASE WHEN :gone = 1 THEN CAST(:now AS BIGINT) ELSE gone_at END
 WHERE id = :id AND ended_at IS NULL

-- name: run_gone
-- No process of the run lives any more.
UPDATE run SET gone_at = :now, exit_code = :exit_code, exit_signal = :exit_signal, exit_record = :exit_record
 WHERE id = :id AND ended_at IS NOT NULL AND gone_at IS NULL

-- name: run_exited
-- The worker of an open run has left; its check is still to come.
UPDATE run SET exit_code = :exit_code, exit_signal = :exit_signal, exit_record = :exit_record
 WHERE id = :id AND ended_at IS NULL

-- name: run_pending
-- The worker's verdict, stored until the task's check has decided.
UPDATE run SET pending = :pending WHERE id = :id AND ended_at IS NULL

-- name: run_beat
-- A sign of life; for a run without a supervisor it also renews the lease.
UPDATE run SET heartbeat_at = :now, heartbeat_note = COALESCE(:note, heartbeat_note),
       lease_until = CASE WHEN host = '' THEN CAST(:lease_until AS BIGINT) ELSE lease_until END
 WHERE id = :id AND ended_at IS NULL

-- name: run_renew
-- A closed run whose processes are still leaving keeps its lease, so that no other host takes its task.
UPDATE run SET lease_until = :lease_until WHERE host = :host AND gone_at IS NULL

-- name: run_live
-- Every run that is open or whose processes have not all gone: what the caps count.  They are few among many,
-- so they are found by their own index and then sorted; a bare `id` would have SQLite read the whole table.
SELECT * FROM run WHERE gone_at IS NULL ORDER BY id + 0

-- name: run_live_of_host
SELECT * FROM run WHERE gone_at IS NULL AND host = :host ORDER BY id + 0

-- name: run_slots
-- How many slots each profile holds on each host; inline commands have no profile.
SELECT COALESCE(profile, ''), host, COUNT(*) FROM run WHERE gone_at IS NULL GROUP BY COALESCE(profile, ''), host

-- name: run_expired
-- Runs whose lease ran out.  Those without a supervisor (`host` is empty) count everywhere.
SELECT * FROM run
 WHERE gone_at IS NULL AND lease_until < :now AND (host = '' OR (:shared = 1 AND host <> :host))
 ORDER BY id + 0 LIMIT :limit

-- name: run_totals
SELECT outcome, COUNT(*) FROM run WHERE ended_at IS NOT NULL AND role <> 'person' GROUP BY outcome ORDER BY outcome

-- name: run_list
SELECT * FROM run
 WHERE (:live = 0 OR gone_at IS NULL) AND (CAST(:outcome AS TEXT) IS NULL OR outcome = :outcome) AND id < :before
 ORDER BY id DESC LIMIT :limit

-- name: run_reported
-- What an agent told of itself, while it works or after its end.
UPDATE run SET session_id = COALESCE(:session_id, session_id), usage = COALESCE(:usage, usage) WHERE id = :id
