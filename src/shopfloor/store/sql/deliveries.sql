-- name: delivery_fan_out
-- A row for each target that wants to hear of the event that was appended just before.  Deferred after that event, so it
-- is the last one; a target that is subscribed in two ways hears of it once.  A rest that ends after `latest` was begun by
-- a clock that was ahead, and is none.
INSERT INTO delivery (subscription_id, event_id, task_id, kind, title, words, target, files, created_at, state, fresh,
                      next_at, tries, sends)
SELECT subscription.id, (SELECT MAX(event.id) FROM event), task.id, interest.kind, task.title, CAST(:words AS TEXT),
       subscription.target, subscription.files, CAST(:now AS BIGINT), 'waiting', 1,
       CASE WHEN subscription.quiet_until BETWEEN :due AND :latest THEN subscription.quiet_until ELSE :due END, 0, 0
  FROM (SELECT 'board' AS about
         UNION ALL SELECT 'task:' || CAST(CAST(:task_id AS BIGINT) AS TEXT)
         UNION ALL SELECT 'tenant:' || tenant FROM task WHERE id = :task_id
         UNION ALL SELECT 'assignee:' || assignee FROM task WHERE id = :task_id
         UNION ALL SELECT 'schedule:' || CAST(schedule_id AS TEXT) FROM firing WHERE task_id = :task_id) AS topic
  CROSS JOIN interest
  CROSS JOIN subscription
  CROSS JOIN task
 WHERE interest.kind = :kind AND interest.about = topic.about AND subscription.id = interest.subscription_id
   AND task.id = :task_id
 ORDER BY subscription.id
ON CONFLICT DO NOTHING

-- name: delivery_fan_out_schedule
-- The same for an event about a schedule, which names no task.
INSERT INTO delivery (subscription_id, event_id, task_id, kind, title, words, target, files, created_at, state, fresh,
                      next_at, tries, sends)
SELECT subscription.id, (SELECT MAX(event.id) FROM event), CAST(NULL AS BIGINT), interest.kind, CAST(:title AS TEXT),
       CAST(:words AS TEXT), subscription.target, 0, CAST(:now AS BIGINT), 'waiting', 1,
       CASE WHEN subscription.quiet_until BETWEEN :due AND :latest THEN subscription.quiet_until ELSE :due END, 0, 0
  FROM interest
  CROSS JOIN subscription
 WHERE interest.kind = :kind
   AND interest.about IN ('board', 'schedule:' || CAST(CAST(:schedule_id AS BIGINT) AS TEXT))
   AND subscription.id = interest.subscription_id
 ORDER BY subscription.id
ON CONFLICT DO NOTHING

-- name: delivery_add
-- A message without an event: a trial.
INSERT INTO delivery (task_id, kind, title, words, target, files, created_at, state, fresh, next_at, tries, sends)
VALUES (NULL, :kind, :title, :words, :target, 0, :now, 'waiting', 1, :now, 0, 0)
RETURNING id

-- name: delivery_lanes
-- The targets that something waits for, by one index step each, with the time of the next retry and of the next new one.
WITH RECURSIVE lane (target) AS (
    SELECT MIN(target) FROM delivery WHERE state = 'waiting'
    UNION ALL
    SELECT (SELECT MIN(delivery.target) FROM delivery WHERE delivery.state = 'waiting' AND delivery.target > lane.target)
      FROM lane WHERE lane.target IS NOT NULL
)
SELECT lane.target,
       (SELECT MIN(next_at) FROM delivery WHERE state = 'waiting' AND delivery.target = lane.target AND fresh = 0),
       (SELECT MIN(next_at) FROM delivery WHERE state = 'waiting' AND delivery.target = lane.target AND fresh = 1)
  FROM lane WHERE lane.target IS NOT NULL

-- name: delivery_pick
-- The next that is due for a target; what another host takes at this moment is left out.
SELECT * FROM delivery
 WHERE state = 'waiting' AND target = :target AND fresh = :fresh AND next_at <= :now
 ORDER BY next_at, id LIMIT 1 @lock_skip

-- name: delivery_begin
-- From now on it is being sent by whoever holds it.
UPDATE delivery
   SET state = 'sending', fresh = 0, tries = tries + 1, sends = sends + 1, holder = :holder, lease_until = :until,
       message = :message, ended_at = NULL
 WHERE id = :id
RETURNING *

-- name: delivery_gather
-- What else is new for the same subscription goes with it.
UPDATE delivery SET state = 'carried', fresh = 0, carried_by = :carrier, ended_at = :now
 WHERE id IN (SELECT id FROM delivery WHERE subscription_id = :subscription_id AND state = 'waiting' AND fresh = 1
                 AND id <> :carrier ORDER BY id LIMIT :limit @lock_skip)
RETURNING *

-- name: delivery_sent
-- Zero rows: this send was given up before its end was known.
UPDATE delivery
   SET state = 'sent', error = NULL, holder = NULL, lease_until = NULL, ended_at = :now
 WHERE id = :id AND state = 'sending' AND sends = :sends

-- name: delivery_failed
-- Back to waiting, or given up where `ended_at` is set.
UPDATE delivery
   SET state = :state, error = :error, next_at = :next_at, ended_at = :ended_at, holder = NULL, lease_until = NULL
 WHERE id = :id AND state = 'sending' AND sends = :sends

-- name: delivery_tell
-- Those that were carried with it share its trouble, and its end.
UPDATE delivery SET error = :error WHERE carried_by = :id

-- name: delivery_expired
-- Sends whose sender did not come back.
SELECT * FROM delivery WHERE state = 'sending' AND lease_until <= :now ORDER BY lease_until LIMIT :limit @lock_skip

-- name: delivery_next_lease
SELECT MIN(lease_until) FROM delivery WHERE state = 'sending'

-- name: delivery_under_way
SELECT DISTINCT target FROM delivery WHERE state = 'sending'

-- name: delivery_disown
-- The sender of this host has begun anew, so nobody is sending these any more.
UPDATE delivery SET lease_until = :now WHERE state = 'sending' AND lease_until > :now AND holder = :holder

-- name: delivery_lock
SELECT * FROM delivery WHERE id = :id @lock

-- name: delivery_list
-- The newest first.
SELECT * FROM delivery
 WHERE id < :before
   AND (CAST(:states AS TEXT) IS NULL OR state IN @each(states))
   AND (CAST(:task_id AS BIGINT) IS NULL OR task_id = :task_id)
   AND (CAST(:subscription_id AS BIGINT) IS NULL OR subscription_id = :subscription_id)
 ORDER BY id DESC LIMIT :limit

-- name: delivery_again
UPDATE delivery SET state = 'waiting', fresh = 0, tries = 0, next_at = :now, ended_at = NULL WHERE id = :id

-- name: delivery_dismiss
-- A person does not want it any more.  Zero rows: it was not given up, or somebody was first.
UPDATE delivery SET state = 'dropped', error = NULL, ended_at = :now WHERE id = :id AND state = 'given_up'

-- name: delivery_drop_trouble
-- Those that went with what is to be dropped share its trouble no more; comes before `delivery_drop`.
UPDATE delivery SET error = NULL
 WHERE carried_by IN (SELECT id FROM delivery WHERE subscription_id = :subscription_id AND state = 'waiting')
   AND error IS NOT NULL

-- name: delivery_drop
-- What still waits for a subscription that a person ended.
UPDATE delivery SET state = 'dropped', error = NULL, ended_at = :now
 WHERE subscription_id = :subscription_id AND state = 'waiting'

-- name: delivery_troubles
-- The messages about these tasks that did not arrive, so far or at all.
SELECT task_id, id, state, error FROM delivery
 WHERE error IS NOT NULL AND task_id IN @each_int(tasks) ORDER BY task_id, id

-- name: delivery_prune
-- Those that ended long ago, with what they carried.
DELETE FROM delivery WHERE state IN ('sent', 'given_up', 'dropped') AND ended_at < :before
