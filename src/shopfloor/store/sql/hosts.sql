-- name: host_arrive
INSERT INTO host (name, boot_id, pid, pid_start, version, labels, started_at, seen_at)
VALUES (:name, :boot_id, :pid, :pid_start, :version, :labels, :now, :now)
ON CONFLICT (name) DO UPDATE SET boot_id = excluded.boot_id, pid = excluded.pid, pid_start = excluded.pid_start,
       version = excluded.version, labels = excluded.labels, started_at = excluded.started_at,
       seen_at = excluded.seen_at, left_at = NULL

-- name: host_seen
UPDATE host SET seen_at = :now WHERE name = :name

-- name: host_leave
UPDATE host SET left_at = :now, seen_at = :now WHERE name = :name

-- name: host_all
SELECT * FROM host ORDER BY name
