-- name: export_columns @sqlite
SELECT name FROM pragma_table_xinfo(:name) ORDER BY cid
-- name: export_columns @postgres
SELECT column_name FROM information_schema.columns
 WHERE table_schema = current_schema() AND table_name = :name ORDER BY ordinal_position

-- name: export_task_ids
SELECT id FROM task WHERE id > :after ORDER BY id LIMIT :limit

-- name: export_task
SELECT * FROM task WHERE id IN @each_int(task_ids) ORDER BY id

-- name: export_run
SELECT * FROM run WHERE task_id IN @each_int(task_ids) ORDER BY id

-- name: export_runtime
SELECT * FROM runtime WHERE task_id IN @each_int(task_ids) ORDER BY task_id

-- name: export_budget
SELECT * FROM budget WHERE task_id IN @each_int(task_ids) ORDER BY task_id

-- name: export_comment
SELECT * FROM comment WHERE task_id IN @each_int(task_ids) ORDER BY id

-- name: export_attachment
SELECT * FROM attachment WHERE task_id IN @each_int(task_ids) ORDER BY id

-- name: export_question
SELECT * FROM question WHERE task_id IN @each_int(task_ids) ORDER BY id

-- name: export_spend
SELECT * FROM spend WHERE task_id IN @each_int(task_ids) ORDER BY run_id

-- name: export_report
SELECT report.* FROM report JOIN run ON run.id = report.run_id WHERE run.task_id IN @each_int(task_ids)
 ORDER BY report.run_id

-- name: export_planning
SELECT * FROM planning WHERE task_id IN @each_int(task_ids) ORDER BY id

-- name: export_link
SELECT * FROM link WHERE child_id IN @each_int(task_ids) ORDER BY child_id, parent_id

-- name: export_seen
SELECT seen.* FROM seen JOIN run ON run.id = seen.run_id WHERE run.task_id IN @each_int(task_ids) ORDER BY seen.run_id

-- name: export_event
SELECT * FROM event WHERE id > :after ORDER BY id LIMIT :limit

-- name: export_receipt
SELECT * FROM receipt WHERE seq > :after ORDER BY seq LIMIT :limit

-- name: export_delivery
SELECT * FROM delivery WHERE id > :after ORDER BY id LIMIT :limit

-- name: export_delivery_last
SELECT COALESCE(MAX(id), 0) FROM delivery

-- name: export_delivery_of
-- Some messages, with those that went with them.
SELECT * FROM delivery WHERE id IN @each_int(ids) OR carried_by IN @each_int(ids) ORDER BY id

-- name: export_delivery_open
-- What is on its way, by one of two small indexes each.
SELECT id FROM delivery WHERE state = 'waiting' AND id <= :upto
UNION ALL
SELECT id FROM delivery WHERE state = 'sending' AND id <= :upto

-- name: export_delivery_ended
-- Messages that have ended since; one that a person has sent again may have ended between two looks.
SELECT id FROM delivery WHERE ended_at >= :since AND id <= :upto AND state <> 'carried' ORDER BY id

-- name: export_hold
SELECT * FROM hold ORDER BY scope, name, code

-- name: export_quota
SELECT * FROM quota ORDER BY account

-- name: export_host
SELECT * FROM host ORDER BY name

-- name: export_hook
SELECT * FROM hook ORDER BY host, name

-- name: export_schedule
SELECT * FROM schedule ORDER BY id

-- name: export_firing
SELECT * FROM firing ORDER BY schedule_id, due_at

-- name: export_subscription
SELECT * FROM subscription ORDER BY id

-- name: export_interest
SELECT * FROM interest ORDER BY subscription_id, kind, about

-- name: export_receipt_head
SELECT * FROM receipt_head ORDER BY id
