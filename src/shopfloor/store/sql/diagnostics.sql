-- name: diagnosis_open
-- The open tasks that a rule may find something about, the oldest change first.  It leaves out what no rule can mean;
-- what is wrong is decided by the kernel.  `sound` are the lanes whose tasks can be started.
SELECT task.id, task.rev, task.title, task.status, task.phase, task.lane, task.skills, task.changed_at, task.failures_work,
       task.failures_review, task.violations, task.block_kind, task.block_reason, task.last_error,
       task.max_runtime_ms, run.id AS run_id, run.host, run.profile, run.lease_until,
       COALESCE(run.started_at, run.claimed_at) AS run_since, run.heartbeat_at
  FROM task LEFT JOIN run ON run.id = task.current_run
 WHERE task.status IN ('triage', 'todo', 'scheduled', 'ready', 'running', 'review', 'blocked')
   AND (task.status = 'running'
        OR (task.status IN ('ready', 'review', 'blocked') AND task.changed_at <= :ready_before)
        OR (task.status IN ('triage', 'todo') AND task.changed_at <= :todo_before)
        OR (task.status IN ('todo', 'scheduled', 'ready') AND task.lane NOT IN @each(sound))
        OR task.failures_work >= :repeated_count OR task.failures_review >= :repeated_count
        OR task.violations >= :repeated_count OR task.block_kind = 'gave_up'
        OR (task.rev > :changes_count AND task.changed_at >= :since)
        OR (task.status IN ('todo', 'scheduled')
            AND EXISTS (SELECT 1 FROM link JOIN task parent ON parent.id = link.parent_id
                         WHERE link.child_id = task.id AND link.waived_at IS NULL
                           AND (parent.status IN ('cancelled', 'archived') OR parent.block_kind = 'gave_up'))))
 ORDER BY task.changed_at, task.id

-- name: diagnosis_of
-- The same of the tasks that are named, if they are open.
SELECT task.id, task.rev, task.title, task.status, task.phase, task.lane, task.skills, task.changed_at, task.failures_work,
       task.failures_review, task.violations, task.block_kind, task.block_reason, task.last_error,
       task.max_runtime_ms, run.id AS run_id, run.host, run.profile, run.lease_until,
       COALESCE(run.started_at, run.claimed_at) AS run_since, run.heartbeat_at
  FROM task LEFT JOIN run ON run.id = task.current_run
 WHERE task.id IN @each_int(tasks)
   AND task.status IN ('triage', 'todo', 'scheduled', 'ready', 'running', 'review', 'blocked')
 ORDER BY task.changed_at, task.id

-- name: diagnosis_turns
-- Blocks, what led out of them, what reviewers sent back, and a person's words, in the order in which they came.
SELECT task_id, kind, at FROM event
 WHERE task_id IN @each_int(tasks) AND at >= :since
   AND (kind IN ('blocked', 'unblocked') OR (kind = 'changes_requested' AND run_id IS NOT NULL)
        OR (run_id IS NULL AND kind IN ('commented', 'edited', 'assigned', 'answered', 'specified')))
 ORDER BY task_id, id

-- name: diagnosis_dead_parents
-- Parents that are waited for and will not be done by themselves.
SELECT open_link.child_id, parent.id, parent.status, parent.archived_from
  FROM open_link JOIN task parent ON parent.id = open_link.parent_id
 WHERE open_link.child_id IN @each_int(tasks)
   AND (parent.status IN ('cancelled', 'archived')
        OR (parent.status = 'blocked' AND parent.block_kind = 'gave_up'))
 ORDER BY open_link.child_id, parent.id

-- name: diagnosis_work
-- What only a dispatcher moves on: how many tasks, and since when the first of them waits.
SELECT COUNT(*), MIN(changed_at) FROM task
 WHERE status IN ('ready', 'running') OR (status = 'scheduled' AND not_before <= :now)

-- name: diagnosis_newest
-- The latest of the times that were written last.
SELECT MAX(at) FROM (SELECT at FROM event ORDER BY id DESC LIMIT :limit) AS written

-- name: diagnosis_troubled
-- Messages that did not arrive and that somebody still wants to hear, the newest first; a trial told who made it.
SELECT delivery.id, delivery.target, delivery.state, delivery.error, delivery.created_at, delivery.subscription_id
  FROM delivery LEFT JOIN subscription ON subscription.id = delivery.subscription_id
 WHERE delivery.error IS NOT NULL AND delivery.state IN ('waiting', 'sending', 'given_up')
   AND delivery.kind <> 'test' AND (delivery.subscription_id IS NULL OR subscription.ended_at IS NULL)
 ORDER BY delivery.id DESC LIMIT :limit

-- name: diagnosis_arrived
-- The last message that arrived at each target, among the newest of all.
SELECT target, MAX(id) FROM (SELECT id, target, state FROM delivery ORDER BY id DESC LIMIT :limit) AS newest
 WHERE state = 'sent' GROUP BY target
