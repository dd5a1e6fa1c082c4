-- name: planning_add
INSERT INTO planning (task_id, verb, digest, actor, at) VALUES (:task_id, :verb, :digest, :actor, :now)
RETURNING id

-- name: planning_end
UPDATE planning
   SET outcome = :outcome, error = :error, input_tokens = :input_tokens, output_tokens = :output_tokens
 WHERE id = :id

-- name: planning_of
SELECT * FROM planning WHERE task_id = :task_id AND verb = :verb ORDER BY id

-- name: planning_wanted
-- Ideas that no model was asked about since a person last touched them; what a block loop threw back is no idea.
SELECT task.id, task.touched_at FROM task
 WHERE task.status = 'triage' AND task.decomposed_at IS NULL AND task.loop_count = 0
   AND NOT EXISTS (SELECT 1 FROM planning WHERE planning.task_id = task.id AND planning.at >= task.touched_at)
 ORDER BY task.priority DESC, task.id
 LIMIT :limit

-- name: planning_last
SELECT * FROM planning WHERE task_id = :task_id ORDER BY id DESC LIMIT 1
