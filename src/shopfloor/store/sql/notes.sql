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
