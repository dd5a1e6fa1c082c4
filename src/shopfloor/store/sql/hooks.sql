-- name: hook_begin
-- A hook that is new on a host begins with the next event.
INSERT INTO hook (host, name, last_event, done, failed, skipped)
VALUES (:host, :name, :last_event, 0, 0, 0)
ON CONFLICT (host, name) DO NOTHING

-- name: hook_of_host
SELECT * FROM hook WHERE host = :host ORDER BY name

-- name: hook_done
UPDATE hook SET last_event = :last_event, done = done + 1, last_at = :now WHERE host = :host AND name = :name

-- name: hook_failed
UPDATE hook SET last_event = :last_event, failed = failed + 1, last_at = :now, last_error = :error, last_error_at = :now
 WHERE host = :host AND name = :name

-- name: hook_tried
-- A run failed and its event is tried again.
UPDATE hook SET last_error = :error, last_error_at = :now WHERE host = :host AND name = :name

-- name: hook_failing
-- Those of a host, or of a board of one host, whose last run failed.
SELECT * FROM hook
 WHERE host IN ('', :host) AND last_error_at IS NOT NULL AND (last_at IS NULL OR last_error_at >= last_at)
 ORDER BY name

-- name: hook_skipped
UPDATE hook SET last_event = :last_event, skipped = skipped + :skipped WHERE host = :host AND name = :name

-- name: hook_waiting
-- How many events wait for a hook; counted up to a limit.
SELECT COUNT(*) FROM (
    SELECT 1 FROM event WHERE id > :after AND (CAST(:kinds AS TEXT) IS NULL OR kind IN @each(kinds)) LIMIT :limit
) AS waiting

-- name: hook_newest_but
-- The newest event that a hook wants but for so many.
SELECT id FROM event WHERE id > :after AND (CAST(:kinds AS TEXT) IS NULL OR kind IN @each(kinds))
 ORDER BY id DESC LIMIT 1 OFFSET :but
