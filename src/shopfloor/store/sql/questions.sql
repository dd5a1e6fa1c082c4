-- name: question_add
INSERT INTO question (task_id, run_id, kind, body, options, default_answer, deadline, asked_at, asked_by)
VALUES (:task_id, :run_id, :kind, :body, :options, :default_answer, :deadline, :now, :asked_by)
RETURNING *

-- name: question_get
SELECT * FROM question WHERE id = :id

-- name: question_of_task
-- The newest first.
SELECT * FROM question WHERE task_id = :task_id ORDER BY id DESC LIMIT :limit

-- name: question_open_of_task
SELECT * FROM question WHERE task_id = :task_id AND answered_at IS NULL ORDER BY id

-- name: question_list
-- The whole board's, the newest first; without `all` those that wait for an answer.
SELECT * FROM question
 WHERE id < :before AND (:everyone = 1 OR answered_at IS NULL)
   AND (CAST(:task_id AS BIGINT) IS NULL OR task_id = :task_id)
 ORDER BY id DESC LIMIT :limit

-- name: question_due
-- Those whose deadline has passed: the default that the asker set is the answer.
SELECT * FROM question
 WHERE answered_at IS NULL AND deadline IS NOT NULL AND deadline <= :now ORDER BY deadline LIMIT :limit

-- name: question_next_deadline
SELECT MIN(deadline) FROM question WHERE answered_at IS NULL AND deadline IS NOT NULL

-- name: question_answer
-- Zero rows: it was answered or closed before.
UPDATE question SET answer = :answer, answered_at = :now, answered_by = :answered_by
 WHERE id = :id AND answered_at IS NULL

-- name: question_close
-- Nobody waits for an answer any more.
UPDATE question SET answered_at = :now, answered_by = :answered_by WHERE task_id = :task_id AND answered_at IS NULL
