-- name: card_counts
-- How many tasks of each of some statuses there are, of those that are looked for.
SELECT status, COUNT(*) FROM task
 WHERE status IN @each(statuses)
   AND (CAST(:lane AS TEXT) IS NULL OR lane = :lane)
   AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')
 GROUP BY status

-- name: card_column
-- A page of a status: highest priority first, then oldest.  The sums keep both databases from walking all tasks in
-- that order to find those of one status.
SELECT id, priority FROM task
 WHERE status = CAST(:status AS TEXT)
   AND (CAST(:lane AS TEXT) IS NULL OR lane = :lane)
   AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')
   AND priority <= :last_priority AND (priority < :last_priority OR id > :last_id)
 ORDER BY priority + 0 DESC, id + 0 LIMIT :limit

-- name: card_column_of_all
-- The same where nothing is looked for, from the index alone.
SELECT id, priority FROM task
 WHERE status = CAST(:status AS TEXT) AND priority <= :last_priority AND (priority < :last_priority OR id > :last_id)
 ORDER BY priority + 0 DESC, id + 0 LIMIT :limit

-- name: card_ended
-- A page of what is over, by the event that ended it: what ended last comes first.
SELECT id, moved FROM (
    SELECT id, COALESCE((SELECT MAX(event.id) FROM event WHERE event.task_id = task.id AND event.status IS NOT NULL), 0) AS moved
      FROM task
     WHERE status = CAST(:status AS TEXT)
       AND (CAST(:lane AS TEXT) IS NULL OR lane = :lane)
       AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
       AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')
  ) found
 WHERE moved <= :last_event_id AND (moved < :last_event_id OR id < :last_id)
 ORDER BY moved DESC, id DESC LIMIT :limit

-- name: card_ended_lately
-- The same of a window of events, without looking at all the tasks of the status.
SELECT event.task_id, event.id FROM event JOIN task ON task.id = event.task_id
 WHERE event.id < :before AND event.id >= :since AND event.status = CAST(:status AS TEXT)
   AND task.status || '' = CAST(:status AS TEXT)
   AND NOT EXISTS (SELECT 1 FROM event later WHERE later.task_id = event.task_id AND later.id > event.id
                                               AND later.status IS NOT NULL)
 ORDER BY event.id DESC LIMIT :limit

-- name: card_found
-- Those of some tasks that are looked for, with where they are.
SELECT id, status FROM task
 WHERE id IN @each_int(ids)
   AND (CAST(:lane AS TEXT) IS NULL OR lane = :lane)
   AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
   AND (CAST(:text AS TEXT) IS NULL OR LOWER(title) LIKE :text ESCAPE '\' OR LOWER(body) LIKE :text ESCAPE '\')

-- name: card_rows
-- What cards show of some tasks, in one statement; `live` is the run that is open or still leaving.
SELECT task.id, task.title, task.status, task.phase, task.assignee, task.lane, task.priority, task.tenant,
       task.command IS NOT NULL, task.changed_at,
       (SELECT MAX(event.at) FROM event WHERE event.task_id = task.id AND event.status IS NOT NULL),
       task.not_before, task.attempts,
       CASE task.phase WHEN 'review' THEN task.failures_review ELSE task.failures_work END,
       task.block_kind, task.block_reason, task.last_error, task.loop_count, task.archived_from,
       task.forced_at IS NOT NULL, task.decomposed_at IS NOT NULL, task.workspace_kind, task.branch,
       (SELECT COUNT(*) FROM task part WHERE part.origin_id = task.id),
       (SELECT COUNT(*) FROM task part WHERE part.origin_id = task.id
           AND (part.status = 'done' OR part.archived_from = 'done')),
       (SELECT CAST(SUM(cost_micros) AS BIGINT) FROM spend WHERE spend.task_id = task.id),
       (SELECT COUNT(*) FROM comment WHERE comment.task_id = task.id),
       (SELECT COUNT(*) FROM attachment WHERE attachment.task_id = task.id),
       (SELECT COUNT(*) FROM question WHERE question.task_id = task.id AND question.answered_at IS NULL),
       (SELECT COUNT(*) FROM open_link WHERE open_link.child_id = task.id),
       EXISTS (SELECT 1 FROM budget WHERE budget.task_id = task.id),
       live.id, live.attempt, live.role, live.profile, live.host, live.pid, live.claimed_at, live.started_at,
       live.heartbeat_at, live.heartbeat_note, live.pending IS NOT NULL
  FROM task LEFT JOIN run live ON live.task_id = task.id AND live.gone_at IS NULL
 WHERE task.id IN @each_int(ids)

-- name: card_parents
-- What some tasks wait for; a parent that will not finish by itself is told.
SELECT open_link.child_id, open_link.parent_id,
       CASE WHEN parent.status IN ('cancelled', 'archived') OR (parent.status = 'blocked' AND parent.block_kind = 'gave_up')
            THEN 1 ELSE 0 END
  FROM open_link JOIN task parent ON parent.id = open_link.parent_id
 WHERE open_link.child_id IN @each_int(ids) ORDER BY open_link.child_id, open_link.parent_id

-- name: card_holds
-- The pauses and guards of the board and its lanes, and of some tasks.
SELECT * FROM hold WHERE scope <> 'task' OR name IN (SELECT CAST(wanted.value AS TEXT) FROM @each_int(ids) AS wanted)

-- name: card_planning
-- How the last question to a model about each of some tasks ended; without an end it is under way.
SELECT planning.task_id, planning.outcome, planning.error FROM planning
 WHERE planning.id IN (SELECT MAX(id) FROM planning WHERE task_id IN @each_int(ids) GROUP BY task_id)
