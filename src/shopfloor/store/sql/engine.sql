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

-- name: schema_parts @sqlite
-- What the tables of this schema are made of: kind, table, name, and what is to be said of it.
SELECT type, tbl_name, name, '' FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1, 2, 3
-- name: schema_parts @postgres
SELECT 'column' AS kind, of.relname AS of_table, attname AS part,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END AS told
  FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class of ON of.oid = attrelid
 WHERE of.relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
   AND of.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'constraint', of.relname, conname, CASE WHEN convalidated THEN '' ELSE 'not validated' END
  FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_class of ON of.oid = conrelid
 WHERE contype IN ('c', 'f', 'p', 'u', 'x')
   AND of.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'index', of.relname, own.relname, CASE WHEN indisvalid THEN '' ELSE 'not valid' END
  FROM pg_catalog.pg_index JOIN pg_catalog.pg_class own ON own.oid = indexrelid
       JOIN pg_catalog.pg_class of ON of.oid = indrelid
 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
   AND of.relkind IN ('r', 'p') AND of.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'trigger', of.relname, tgname, CASE WHEN tgenabled = 'O' THEN '' ELSE 'not enabled' END
  FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_class of ON of.oid = tgrelid
 WHERE NOT tgisinternal
   AND of.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'view', relname, relname, '' FROM pg_catalog.pg_class
 WHERE relkind = 'v' AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
 ORDER BY 1, 2, 3

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
