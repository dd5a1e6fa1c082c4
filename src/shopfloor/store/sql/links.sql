-- name: link_add
INSERT INTO link (parent_id, child_id, created_at) VALUES (:parent_id, :child_id, :now)
ON CONFLICT (parent_id, child_id) DO UPDATE SET waived_at = NULL WHERE link.waived_at IS NOT NULL

-- name: link_remove
DELETE FROM link WHERE parent_id = :parent_id AND child_id = :child_id

-- name: link_waive
-- The child goes on without this parent.
UPDATE link SET waived_at = :now WHERE parent_id = :parent_id AND waived_at IS NULL

-- name: link_exclusive @sqlite
-- Two clients that add links at once must not close a circle between them.
SELECT 1
-- name: link_exclusive @postgres
SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.link'))

-- name: link_parents
SELECT task.*, link.waived_at FROM link JOIN task ON task.id = link.parent_id
 WHERE link.child_id = :id ORDER BY task.id

-- name: link_children
SELECT task.*, link.waived_at FROM link JOIN task ON task.id = link.child_id
 WHERE link.parent_id = :id ORDER BY task.id

-- name: link_count
SELECT COUNT(*) FROM link WHERE child_id = :id OR parent_id = :id

-- name: link_open_parents
-- How many unfinished parents a task waits for.
SELECT COUNT(*) FROM open_link WHERE child_id = :id

-- name: link_open_parent_ids
SELECT parent_id FROM open_link WHERE child_id = :id ORDER BY parent_id

-- name: link_waiting_children
-- The children of a task whose queue may change when it does.
SELECT link.child_id FROM link JOIN task ON task.id = link.child_id
 WHERE link.parent_id = :id AND task.status IN ('todo', 'ready') ORDER BY link.child_id

-- name: link_held_children
-- The children that wait for this parent now.
SELECT child_id FROM open_link WHERE parent_id = :id ORDER BY child_id

-- name: link_child_ids
SELECT child_id FROM link WHERE parent_id = :id ORDER BY child_id

-- name: link_reaches
-- Whether one task is above another, each task visited once.
WITH RECURSIVE below (id) AS (
    SELECT CAST(:from_id AS BIGINT)
    UNION
    SELECT link.child_id FROM below JOIN link ON link.parent_id = below.id
)
SELECT 1 FROM below WHERE id = :to_id

-- name: link_all
SELECT parent_id, child_id, created_at, waived_at FROM link ORDER BY parent_id, child_id

-- name: link_above
-- The links from some tasks to what they wait for.
SELECT parent_id, child_id, created_at, waived_at FROM link WHERE child_id IN @each_int(ids)

-- name: link_below
-- The links from some tasks to what waits for them.
SELECT parent_id, child_id, created_at, waived_at FROM link WHERE parent_id IN @each_int(ids)

-- name: link_among
-- The links that have both their ends among these tasks.
SELECT parent_id, child_id, created_at, waived_at FROM link
 WHERE parent_id IN @each_int(ids) AND child_id IN @each_int(ids)
 ORDER BY parent_id, child_id

-- name: link_nodes
-- Some tasks as a graph shows them, each with how many links it has up and down, shown or not.
SELECT id, title, status, phase, assignee, command IS NOT NULL, block_kind, forced_at,
       (SELECT COUNT(*) FROM link WHERE link.child_id = task.id),
       (SELECT COUNT(*) FROM link WHERE link.parent_id = task.id)
  FROM task WHERE id IN @each_int(ids) ORDER BY id
