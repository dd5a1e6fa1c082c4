-- name: needs_list
-- All that waits for a person, what waits longest first; the cursor is the last row's (since, kind, ref).
SELECT found.since, found.kind, found.ref, found.task_id, found.until, found.actor, found.words, found.options,
       found.default_answer, task.title, task.status, task.assignee, task.tenant, task.block_kind,
       task.workspace_kind
  FROM (
    SELECT asked_at AS since, 'question' AS kind, CAST(id AS TEXT) AS ref, task_id, deadline AS until,
           asked_by AS actor, body AS words, options, default_answer
      FROM question WHERE answered_at IS NULL
    UNION ALL
    SELECT changed_at, 'review', CAST(id AS TEXT), id, CAST(NULL AS BIGINT), assignee, COALESCE(summary, ''), '[]', NULL
      FROM task WHERE status = 'review' AND CAST(:reviewer AS TEXT) = 'person'
    UNION ALL
    SELECT changed_at, CASE block_kind WHEN 'gave_up' THEN 'gave_up' ELSE 'blocked' END, CAST(id AS TEXT), id,
           CAST(NULL AS BIGINT), assignee, block_reason, '[]', NULL
      FROM task
     WHERE status = 'blocked'
       AND NOT EXISTS (SELECT 1 FROM question WHERE question.task_id = task.id AND question.answered_at IS NULL
                                                AND question.body = task.block_reason)
    UNION ALL
    SELECT changed_at, 'block_loop', CAST(id AS TEXT), id, CAST(NULL AS BIGINT), assignee,
           COALESCE(block_reason, ''), '[]', NULL
      FROM task WHERE status = 'triage' AND loop_count > 0
    UNION ALL
    SELECT since, 'paused', scope || ':' || name,
           CASE WHEN scope = 'task' THEN CAST(name AS BIGINT) END, until, actor, reason, '[]', NULL
      FROM hold WHERE code IN ('paused', 'profile_paused') AND (until IS NULL OR until > :now)
    UNION ALL
    SELECT since, 'account', account, CAST(NULL AS BIGINT), until, '', reason, '[]', NULL
      FROM quota WHERE state = 'parked' AND until > :now
    UNION ALL
    SELECT ended_at, 'delivery', CAST(id AS TEXT), task_id, CAST(NULL AS BIGINT), target, error, '[]', NULL
      FROM delivery WHERE state = 'given_up' AND error IS NOT NULL
  ) found
  LEFT JOIN task ON task.id = found.task_id
 WHERE (CAST(:kinds AS TEXT) IS NULL OR found.kind IN @each(kinds))
   AND (CAST(:last_at AS BIGINT) IS NULL
        OR (found.since, found.kind, found.ref) > (CAST(:last_at AS BIGINT), CAST(:last_kind AS TEXT), CAST(:last_ref AS TEXT)))
 ORDER BY found.since, found.kind, found.ref LIMIT :limit

-- name: needs_counts
-- How many there are of each kind of the list above; a kind without any has no row.
SELECT kind, CAST(SUM(many) AS BIGINT) FROM (
    SELECT 'question' AS kind, COUNT(*) AS many FROM question WHERE answered_at IS NULL
    UNION ALL
    SELECT 'review', COUNT(*) FROM task WHERE status = 'review' AND CAST(:reviewer AS TEXT) = 'person'
    UNION ALL
    SELECT CASE block_kind WHEN 'gave_up' THEN 'gave_up' ELSE 'blocked' END, COUNT(*)
      FROM task
     WHERE status = 'blocked'
       AND NOT EXISTS (SELECT 1 FROM question WHERE question.task_id = task.id AND question.answered_at IS NULL
                                                AND question.body = task.block_reason)
     GROUP BY 1
    UNION ALL
    SELECT 'block_loop', COUNT(*) FROM task WHERE status = 'triage' AND loop_count > 0
    UNION ALL
    SELECT 'paused', COUNT(*) FROM hold
     WHERE code IN ('paused', 'profile_paused') AND (until IS NULL OR until > :now)
    UNION ALL
    SELECT 'account', COUNT(*) FROM quota WHERE state = 'parked' AND until > :now
    UNION ALL
    SELECT 'delivery', COUNT(*) FROM delivery WHERE state = 'given_up' AND error IS NOT NULL
  ) counted
 GROUP BY kind HAVING SUM(many) > 0 ORDER BY kind
