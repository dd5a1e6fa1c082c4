-- name: request_begin
-- Zero rows: it was carried out before.  A twin that is being carried out now is waited for.
INSERT INTO request (id, at, digest, answer) VALUES (:id, :now, :digest, '') ON CONFLICT (id) DO NOTHING

-- name: request_keep
UPDATE request SET answer = :answer WHERE id = :id

-- name: request_seen
SELECT digest, answer FROM request WHERE id = :id

-- name: request_prune
-- The oldest rows that are past their time; the inner limit keeps it a short step.
DELETE FROM request WHERE seq IN (
    SELECT seq FROM (SELECT seq, at FROM request ORDER BY seq LIMIT :limit) oldest WHERE at < :before)
