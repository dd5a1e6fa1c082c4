-- name: comment_add
INSERT INTO comment (task_id, run_id, author, body, created_at) VALUES (:task_id, :run_id, :author, :body, :now)
RETURNING *

-- name: comment_of_task
SELECT * FROM comment WHERE task_id = :task_id AND id > :after ORDER BY id LIMIT :limit

-- name: comment_pull_mentioned_at
-- When a recent comment linked a pull or merge request.
SELECT MAX(created_at) FROM comment
 WHERE task_id = :task_id AND created_at > :since AND (body LIKE '%/pull/%' OR body LIKE '%/merge_requests/%')

-- name: attachment_add
INSERT INTO attachment (task_id, run_id, name, size, sha256, creator, created_at)
VALUES (:task_id, :run_id, :name, :size, :sha256, :creator, :now)
RETURNING *

-- name: attachment_of_task
SELECT * FROM attachment WHERE task_id = :task_id ORDER BY id

-- name: attachment_get
SELECT * FROM attachment WHERE task_id = :task_id AND name = :name

-- name: attachment_remove
DELETE FROM attachment WHERE task_id = :task_id AND name = :name

-- name: comment_unread
-- What others wrote on a task since the worker of a run was told.
SELECT * FROM comment
 WHERE task_id = :task_id AND (run_id IS NULL OR run_id <> :run_id)
   AND id > COALESCE((SELECT seen.comment_id FROM seen WHERE seen.run_id = :run_id), 0)
 ORDER BY id LIMIT :limit

-- name: comment_unread_count
SELECT COUNT(*) FROM comment
 WHERE task_id = :task_id AND (run_id IS NULL OR run_id <> :run_id)
   AND id > COALESCE((SELECT seen.comment_id FROM seen WHERE seen.run_id = :run_id), 0)

-- name: comment_told
-- Nothing up to this comment is news to the worker of the run.
INSERT INTO seen (run_id, comment_id) VALUES (:run_id, :comment_id)
ON CONFLICT (run_id) DO UPDATE SET comment_id = excluded.comment_id WHERE excluded.comment_id > seen.comment_id

-- name: comment_told_all
-- A new run's worker is told all that was said so far, by its context.
INSERT INTO seen (run_id, comment_id)
SELECT CAST(:run_id AS BIGINT), id FROM comment WHERE task_id = :task_id ORDER BY id DESC LIMIT 1
