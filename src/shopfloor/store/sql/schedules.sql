-- name: schedule_add
-- Zero rows: the name is taken.
INSERT INTO schedule (name, words, kind, expression, zone, anchor, request, overlap, missed, window_ms, jitter_ms,
                      ends_at, firings_max, keep, keep_ms, fired, settled_until, next_due, next_at, paused_at,
                      paused_by, clock_at, creator, created_at, changed_at)
VALUES (:name, :words, :kind, :expression, :zone, :anchor, :request, :overlap, :missed, :window_ms, :jitter_ms,
        :ends_at, :firings_max, :keep, :keep_ms, 0, :settled_until, :next_due, :next_at, :paused_at,
        :paused_by, :clock_at, :creator, :created_at, :changed_at)
ON CONFLICT (name) DO NOTHING
RETURNING id

-- name: schedule_get
SELECT * FROM schedule WHERE name = :name

-- name: schedule_lock
-- The schedule, nobody else's to fire or change until the transaction ends.
SELECT * FROM schedule WHERE name = :name @lock

-- name: schedule_list
SELECT * FROM schedule WHERE name > :after_name ORDER BY name LIMIT :limit

-- name: schedule_due
-- What fires now; what another host fires at this moment is left out.
SELECT * FROM schedule WHERE next_at IS NOT NULL AND next_at <= :now ORDER BY next_at, id LIMIT :limit @lock_skip

-- name: schedule_next
SELECT MIN(next_at) FROM schedule WHERE next_at IS NOT NULL

-- name: schedule_ahead
-- Those that last fired later than it is now: the clock went back.
SELECT * FROM schedule WHERE next_at IS NOT NULL AND clock_at > :clock_at ORDER BY id LIMIT :limit @lock_skip

-- name: schedule_put
UPDATE schedule
   SET name = :name, words = :words, kind = :kind, expression = :expression, zone = :zone, anchor = :anchor,
       request = :request, overlap = :overlap, missed = :missed, window_ms = :window_ms, jitter_ms = :jitter_ms,
       ends_at = :ends_at, firings_max = :firings_max, keep = :keep, keep_ms = :keep_ms, fired = :fired,
       settled_until = :settled_until, next_due = :next_due, next_at = :next_at, paused_at = :paused_at,
       paused_by = :paused_by, clock_at = :clock_at, changed_at = :changed_at
 WHERE id = :id

-- name: schedule_delete
DELETE FROM schedule WHERE id = :id

-- name: firing_add
-- Zero rows: this due time of this schedule was seen to before.
INSERT INTO firing (schedule_id, due_at, at, outcome, number, times, task_id, by_hand, reason)
VALUES (:schedule_id, :due_at, :now, :outcome, :number, :times, NULL, :by_hand, :reason)
ON CONFLICT (schedule_id, due_at) DO NOTHING

-- name: firing_made
-- The task that this firing has put on the board.
UPDATE firing SET task_id = :task_id WHERE schedule_id = :schedule_id AND due_at = :due_at

-- name: firing_refused
-- The stored request is not one that can be carried out any more.
UPDATE firing SET outcome = 'refused', number = NULL, reason = :reason
 WHERE schedule_id = :schedule_id AND due_at = :due_at

-- name: firing_of_schedule
-- The newest first, each with what became of its task.
SELECT firing.*, task.status, task.summary, task.last_error FROM firing LEFT JOIN task ON task.id = firing.task_id
 WHERE firing.schedule_id = :schedule_id AND firing.due_at < :before ORDER BY firing.due_at DESC LIMIT :limit

-- name: firing_unfinished
-- Tasks of a schedule that are still being worked on or waited for, the newest first; one that was given up is not.
SELECT task.id, task.status FROM firing JOIN task ON task.id = firing.task_id
 WHERE firing.schedule_id = :schedule_id AND firing.outcome = 'fired' AND firing.dropped_at IS NULL
   AND task.status NOT IN ('done', 'cancelled', 'archived')
   AND NOT (task.status = 'blocked' AND task.block_kind = 'gave_up')
 ORDER BY firing.due_at DESC LIMIT :limit

-- name: firing_beyond
-- Firings whose task has ended or is gone, and that are older than those that are kept.
SELECT firing.due_at, firing.task_id, task.status FROM firing LEFT JOIN task ON task.id = firing.task_id
 WHERE firing.schedule_id = :schedule_id AND firing.outcome = 'fired' AND firing.dropped_at IS NULL
   AND (firing.task_id IS NULL OR task.status IN ('done', 'cancelled', 'archived'))
   AND (firing.at < :before OR firing.due_at <= (
        SELECT kept.due_at FROM firing kept
         WHERE kept.schedule_id = :schedule_id AND kept.outcome = 'fired' AND kept.dropped_at IS NULL
         ORDER BY kept.due_at DESC LIMIT 1 OFFSET :keep))
 ORDER BY firing.due_at LIMIT :limit

-- name: firing_drop
UPDATE firing SET dropped_at = :now WHERE schedule_id = :schedule_id AND due_at = :due_at

-- name: firing_dropped
-- Tasks whose output is not kept any more, in the order in which that was decided, after a cursor; what somebody
-- has brought back since is not among them.
SELECT firing.dropped_at, firing.task_id FROM firing JOIN task ON task.id = firing.task_id
 WHERE firing.dropped_at IS NOT NULL AND firing.dropped_at >= :since
   AND (firing.dropped_at > :since OR firing.task_id > :last_task_id) AND task.status = 'archived'
 ORDER BY firing.dropped_at, firing.task_id LIMIT :limit

-- name: firing_overfull
-- A row, if a schedule has more history than is kept.
SELECT due_at FROM firing WHERE schedule_id = :schedule_id ORDER BY due_at DESC LIMIT 1 OFFSET :most

-- name: firing_forget
-- History beyond its bound; what is kept of a firing is not forgotten before it is dropped.
DELETE FROM firing
 WHERE schedule_id = :schedule_id AND (outcome <> 'fired' OR dropped_at IS NOT NULL) AND due_at <= (
       SELECT newest.due_at FROM firing newest
        WHERE newest.schedule_id = :schedule_id ORDER BY newest.due_at DESC LIMIT 1 OFFSET :most)
