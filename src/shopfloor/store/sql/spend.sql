-- name: spend_put
-- What a run has used so far, as a whole.  A report that is older than the last one takes nothing back.
INSERT INTO spend (run_id, task_id, profile, account, model, input_tokens, output_tokens, cache_read_tokens,
                   cache_write_tokens, cost_micros, at)
VALUES (:run_id, :task_id, :profile, :account, :model, :input_tokens, :output_tokens, :cache_read_tokens,
        :cache_write_tokens, :cost_micros, :now)
ON CONFLICT (run_id) DO UPDATE
   SET model = COALESCE(excluded.model, spend.model), input_tokens = excluded.input_tokens,
       output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
       cache_write_tokens = excluded.cache_write_tokens,
       cost_micros = COALESCE(excluded.cost_micros, spend.cost_micros), at = excluded.at
 WHERE excluded.input_tokens + excluded.output_tokens + excluded.cache_read_tokens + excluded.cache_write_tokens
       > spend.input_tokens + spend.output_tokens + spend.cache_read_tokens + spend.cache_write_tokens
    OR COALESCE(excluded.cost_micros, 0) > COALESCE(spend.cost_micros, 0)
    OR (spend.model IS NULL AND excluded.model IS NOT NULL)

-- name: spend_report
-- An agent's last words; a run that is settled again has the same.
INSERT INTO report (run_id, ending, sentence, next_step, text, turns, reminders)
VALUES (:run_id, :ending, :sentence, :next_step, :text, :turns, :reminders)
ON CONFLICT (run_id) DO UPDATE
   SET ending = excluded.ending, sentence = excluded.sentence, next_step = excluded.next_step,
       text = excluded.text, turns = excluded.turns, reminders = excluded.reminders

-- name: spend_reports_of_task
SELECT report.* FROM run JOIN report ON report.run_id = run.id WHERE run.task_id = :task_id

-- name: spend_report_of_run
SELECT * FROM report WHERE run_id = :run_id

-- name: spend_of_run
SELECT * FROM spend WHERE run_id = :run_id

-- name: spend_of_task
-- What all attempts of a task have used: tokens that count to a limit, and cost.
SELECT CAST(COALESCE(SUM(input_tokens + output_tokens + cache_write_tokens), 0) AS BIGINT),
       CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT)
  FROM spend WHERE task_id = :task_id

-- name: spend_of_profile
-- The same of a profile's runs that were heard of since a moment.
SELECT CAST(COALESCE(SUM(input_tokens + output_tokens + cache_write_tokens), 0) AS BIGINT),
       CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT)
  FROM spend WHERE profile = :profile AND at >= :since

-- name: spend_of_board
SELECT CAST(COALESCE(SUM(input_tokens + output_tokens + cache_write_tokens), 0) AS BIGINT),
       CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT)
  FROM spend WHERE at >= :since

-- name: spend_grouped
-- What was used since a moment, by task, profile, model or day (days since the epoch, UTC).
SELECT CASE CAST(:by AS TEXT) WHEN 'task' THEN CAST(task_id AS TEXT) WHEN 'profile' THEN COALESCE(profile, '')
                              WHEN 'model' THEN COALESCE(model, '') ELSE CAST(at / 86400000 AS TEXT) END AS name,
       COUNT(*), CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT),
       CAST(SUM(cache_read_tokens) AS BIGINT), CAST(SUM(cache_write_tokens) AS BIGINT),
       CAST(SUM(cost_micros) AS BIGINT), CAST(SUM(CASE WHEN cost_micros IS NULL THEN 1 ELSE 0 END) AS BIGINT)
  FROM spend WHERE at >= :since
 GROUP BY 1 ORDER BY COALESCE(SUM(cost_micros), 0) DESC, SUM(input_tokens + output_tokens) DESC, 1
 LIMIT :limit
