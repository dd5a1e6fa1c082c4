-- name: schema_step_known @sqlite
-- Whether this database has ever been a board.
SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_step'
-- name: schema_step_known @postgres
SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_step'

-- name: schema_table_count @sqlite
-- How many tables are here, ours or anybody's.
SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
-- name: schema_table_count @postgres
SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()

-- name: schema_step_table
CREATE TABLE IF NOT EXISTS schema_step (
    number     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)

-- name: schema_step_all
SELECT number, name, checksum, applied_at FROM schema_step ORDER BY number

-- name: schema_step_add
INSERT INTO schema_step (number, name, checksum, applied_at) VALUES (:number, :name, :checksum, :now)

-- name: engine_quick_check @sqlite
-- One row a finding, or the single row ok.
SELECT * FROM pragma_quick_check(:limit)
-- name: engine_quick_check @postgres
SELECT 'the index ' || CAST(indexrelid AS regclass) || ' is not valid: rebuild it with REINDEX' FROM pg_catalog.pg_index
 WHERE NOT indisvalid
   AND indrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()))
 LIMIT :limit

-- name: engine_full_check @sqlite
-- The quick check, and every index against its table.
SELECT * FROM pragma_integrity_check(:limit)
-- name: engine_full_check @postgres
SELECT 'the index ' || CAST(indexrelid AS regclass) || ' is not valid: rebuild it with REINDEX' FROM pg_catalog.pg_index
 WHERE NOT indisvalid
   AND indrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()))
 LIMIT :limit

-- name: engine_reference_check @sqlite
-- Rows that refer to nothing: table, row, table referred to.
SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT :limit
-- name: engine_reference_check @postgres
SELECT CAST(CAST(conrelid AS regclass) AS TEXT), conname, CAST(CAST(confrelid AS regclass) AS TEXT)
  FROM pg_catalog.pg_constraint
 WHERE contype = 'f' AND NOT convalidated 
   AND connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) LIMIT :limit
