-- name: budget_get
SELECT * FROM budget WHERE task_id = :task_id

-- name: budget_put
INSERT INTO budget (task_id, tokens, cost_micros) VALUES (:task_id, :tokens, :cost_micros)
ON CONFLICT (task_id) DO UPDATE SET tokens = excluded.tokens, cost_micros = excluded.cost_micros

-- name: budget_drop
DELETE FROM budget WHERE task_id = :task_id
