-- name: request_seen
SELECT digest, answer FROM request WHERE id = :id

-- name: request_keep
INSERT INTO request (id, at, digest, answer) VALUES (:id, :now, :digest, :answer)

-- name: request_prune
-- The oldest rows that are past their time; the inner limit keeps it a short step.
DELETE FROM request WHERE seq IN (
    SELECT seq FROM (SELECT seq, at FROM request ORDER BY seq LIMIT :limit) oldest WHERE at < :before)
