-- Where the command of a task runs, for tasks that say so themselves; a task without a row follows its profile,
-- and without a profile's word it runs on the host.  `mounts` is a JSON list of texts HOST:INSIDE[:ro].
CREATE TABLE runtime (
    task_id      BIGINT PRIMARY KEY REFERENCES task (id) ON DELETE CASCADE,
    runtime      TEXT NOT NULL CHECK (runtime = 'host' OR runtime LIKE 'container:_%'),
    mounts       TEXT NOT NULL,
    memory_bytes BIGINT CHECK (memory_bytes > 0),
    cpu_millis   BIGINT CHECK (cpu_millis > 0),
    pids         BIGINT CHECK (pids > 0)
);
