-- name: note_add
-- A note; its number is given by the database.
INSERT INTO note (word, size, stage) VALUES (:word, :size, 'new') RETURNING id

-- name: note_add_keyed
INSERT INTO note (word, size, stage, owner_id, place) VALUES (:word, :size, 'new', :owner_id, :place)

-- name: note_get
SELECT id, word, size, stage FROM note WHERE id = :id

-- name: note_lock
SELECT id, word, size, stage FROM note WHERE id = :id @lock

-- name: note_first_free
SELECT id FROM note ORDER BY id LIMIT 1 @lock_skip

-- name: note_words
SELECT word FROM note ORDER BY id

-- name: note_set_size
UPDATE note SET size = :size WHERE id = :id

-- name: note_grow
UPDATE note SET size = size + 1 WHERE id = :id

-- name: note_set_stage
UPDATE note SET stage = :stage WHERE id = :id

-- name: note_count
SELECT COUNT(*) FROM note

-- name: note_sums
SELECT SUM(size), AVG(size), COUNT(*) > 0 FROM note

-- name: note_by_words
SELECT id FROM note WHERE word IN @each(words) ORDER BY id

-- name: note_by_ids
SELECT id FROM note WHERE id IN @each_int(ids) AND size > :size ORDER BY id

-- name: note_wanted
SELECT wanted.value FROM @each_int(ids) AS wanted
 WHERE NOT EXISTS (SELECT 1 FROM note WHERE note.id = wanted.value) ORDER BY wanted.value

-- name: note_add_words
INSERT INTO note (word, size, stage) SELECT wanted.value, 0, 'new' FROM @each(words) AS wanted

-- name: note_flag
SELECT CAST(:flag AS BIGINT)

-- name: note_like
SELECT COUNT(*) FROM note WHERE word LIKE '%' || :part || '%'

-- name: trace_add
INSERT INTO trace (note_id, what) VALUES (:note_id, :what)

-- name: trace_all
SELECT id, what FROM trace ORDER BY id

-- name: trace_after
SELECT id FROM trace WHERE id > :after ORDER BY id

-- name: trace_count
SELECT COUNT(*) FROM trace

-- name: note_star
SELECT * FROM note ORDER BY id

-- name: server_pid
-- Only PostgreSQL has what this and the next ones ask for.
SELECT pg_backend_pid()

-- name: server_end_me
SELECT pg_terminate_backend(pg_backend_pid())

-- name: server_setting
SELECT current_setting(:name)
