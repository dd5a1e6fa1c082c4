-- The board.  One text for both databases; `@serial` and the `-- only:` sections are the differences.
-- What must never be false stands here as a constraint; `shop fsck` checks what a database cannot.
-- A list of values is written out with OR: for each IN of more than two, SQLite builds a table of its own at every
-- write, which costs as much as the write.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE task (
    id              @serial,
    rev             INTEGER NOT NULL,
    status          TEXT NOT NULL CHECK (status = 'ready' OR status = 'running' OR status = 'done' OR status = 'todo'
                        OR status = 'scheduled' OR status = 'review' OR status = 'blocked' OR status = 'triage'
                        OR status = 'cancelled' OR status = 'archived'),
    phase           TEXT NOT NULL CHECK (phase IN ('work', 'review')),
    title           TEXT NOT NULL CHECK (title <> ''),
    body            TEXT NOT NULL,
    assignee        TEXT CHECK (assignee <> ''),
    priority        INTEGER NOT NULL,
    tenant          TEXT,
    creator         TEXT NOT NULL,
    session_id      TEXT,
    skills          TEXT NOT NULL,
    model           TEXT,
    provider        TEXT,
    template_id     TEXT,
    step_key        TEXT,
    origin_id       BIGINT,
    idempotency_key TEXT CHECK (idempotency_key <> ''),
    command         TEXT,
    check_command   TEXT,
    artifacts       TEXT NOT NULL,
    start_after     TEXT NOT NULL CHECK (start_after IN ('done', 'any')),
    max_runtime_ms  BIGINT CHECK (max_runtime_ms > 0),
    max_attempts    INTEGER CHECK (max_attempts > 0),
    backoff         TEXT,
    goal            INTEGER NOT NULL CHECK (goal IN (0, 1)),
    goal_turns      INTEGER CHECK (goal_turns > 0),
    workspace_kind  TEXT NOT NULL CHECK (workspace_kind = 'scratch' OR workspace_kind = 'dir' OR workspace_kind = 'worktree'),
    workspace_path  TEXT,
    branch          TEXT,
    not_before      BIGINT,
    forced_at       BIGINT,
    decomposed_at   BIGINT,
    current_run     BIGINT,
    attempts        INTEGER NOT NULL,
    failures_work   INTEGER NOT NULL CHECK (failures_work >= 0),
    failures_review INTEGER NOT NULL CHECK (failures_review >= 0),
    violations      INTEGER NOT NULL,
    stale_streak    INTEGER NOT NULL,
    quota_rounds    INTEGER NOT NULL,
    block_kind      TEXT CHECK (block_kind IS NULL OR block_kind = 'needs_input' OR block_kind = 'capability'
                        OR block_kind = 'transient' OR block_kind = 'gave_up'),
    block_reason    TEXT,
    loop_kind       TEXT,
    loop_count      INTEGER NOT NULL,
    archived_from   TEXT,
    last_error      TEXT,
    summary         TEXT,
    result          TEXT,
    metadata        TEXT,
    created_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    touched_at      BIGINT NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    succeeded_at    BIGINT,
    lane            TEXT NOT NULL GENERATED ALWAYS AS (
                        CASE WHEN assignee IS NOT NULL THEN assignee
                             WHEN command IS NOT NULL THEN '!' ELSE '' END) STORED,
    CHECK ((status = 'running') = (current_run IS NOT NULL)),
    CHECK (status <> 'blocked' OR (block_kind IS NOT NULL AND block_reason IS NOT NULL)),
    CHECK ((status = 'archived') = (archived_from IS NOT NULL)),
    CHECK (status <> 'review' OR phase = 'review'),
    CHECK (status <> 'ready' OR phase = 'work'),
    CHECK (workspace_kind <> 'dir' OR workspace_path IS NOT NULL)
);
CREATE UNIQUE INDEX task_key ON task (idempotency_key) WHERE status <> 'archived' AND idempotency_key IS NOT NULL;
CREATE INDEX task_order ON task (status, lane, priority DESC, id);
CREATE INDEX task_list ON task (priority DESC, id);
CREATE INDEX task_due ON task (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX task_origin ON task (origin_id) WHERE origin_id IS NOT NULL;
CREATE INDEX task_session ON task (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX task_tenant ON task (tenant) WHERE tenant IS NOT NULL;

CREATE TABLE task_edge (
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (source, target)
);

CREATE TABLE run (
    id             @serial,
    task_id        BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    role           TEXT NOT NULL CHECK (role = 'worker' OR role = 'reviewer' OR role = 'person'),
    attempt        INTEGER NOT NULL,
    profile        TEXT,
    host           TEXT NOT NULL,
    boot_id        TEXT,
    pid            BIGINT,
    pid_start      BIGINT,
    token          TEXT NOT NULL,
    lease_until    BIGINT,
    claimed_at     BIGINT NOT NULL,
    started_at     BIGINT,
    heartbeat_at   BIGINT,
    heartbeat_note TEXT,
    workspace      TEXT,
    pending        TEXT,
    outcome        TEXT CHECK (outcome IS NULL OR outcome = 'completed' OR outcome = 'review_requested'
                       OR outcome = 'changes_requested' OR outcome = 'blocked' OR outcome = 'dependency_wait'
                       OR outcome = 'check_failed' OR outcome = 'failed' OR outcome = 'crashed'
                       OR outcome = 'timed_out' OR outcome = 'goal_budget_spent' OR outcome = 'auth_failed'
                       OR outcome = 'permission_refused' OR outcome = 'spawn_failed'
                       OR outcome = 'protocol_violation' OR outcome = 'rate_limited' OR outcome = 'stale'
                       OR outcome = 'reclaimed' OR outcome = 'superseded' OR outcome = 'cancelled'),
    error          TEXT,
    summary        TEXT,
    result         TEXT,
    metadata       TEXT,
    exit_code      INTEGER,
    exit_signal    INTEGER,
    exit_record    TEXT,
    usage          TEXT,
    session_id     TEXT,
    ended_at       BIGINT,
    gone_at        BIGINT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK (gone_at IS NULL OR ended_at IS NOT NULL),
    CHECK (ended_at IS NOT NULL OR lease_until IS NOT NULL)
);
CREATE INDEX run_of_task ON run (task_id);
CREATE UNIQUE INDEX run_live ON run (task_id) WHERE gone_at IS NULL;

CREATE TABLE event (
    id      @serial,
    task_id BIGINT REFERENCES task (id) ON DELETE CASCADE,
    run_id  BIGINT,
    kind    TEXT NOT NULL,
    status  TEXT,
    actor   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    data    TEXT NOT NULL
);
CREATE INDEX event_of_task ON event (task_id, id);

CREATE TABLE link (
    parent_id  BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    child_id   BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    waived_at  BIGINT,
    PRIMARY KEY (parent_id, child_id),
    CHECK (parent_id <> child_id)
);
CREATE INDEX link_of_child ON link (child_id, parent_id);

CREATE TABLE comment (
    id         @serial,
    task_id    BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    run_id     BIGINT,
    author     TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX comment_of_task ON comment (task_id, id);

CREATE TABLE attachment (
    id         @serial,
    task_id    BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    run_id     BIGINT,
    name       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    creator    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX attachment_name ON attachment (task_id, name);

-- Why something does not start, and what a person paused: one row a reason, written when it changes.
CREATE TABLE hold (
    scope  TEXT NOT NULL CHECK (scope IN ('board', 'lane', 'task')),
    name   TEXT NOT NULL,
    code   TEXT NOT NULL,
    since  BIGINT NOT NULL,
    until  BIGINT,
    reason TEXT NOT NULL,
    actor  TEXT NOT NULL,
    PRIMARY KEY (scope, name, code)
);

-- The answers of the last day's writes: the same request sent again gets the same answer.
CREATE TABLE request (
    seq    @serial,
    id     TEXT NOT NULL UNIQUE,
    at     BIGINT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL
);

CREATE TABLE host (
    name       TEXT PRIMARY KEY,
    boot_id    TEXT NOT NULL,
    pid        BIGINT NOT NULL,
    pid_start  BIGINT NOT NULL,
    version    TEXT NOT NULL,
    labels     TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    left_at    BIGINT
);

-- The one answer to "are the parents satisfied": a task waits for each row that this view has of it.
CREATE VIEW open_link AS
SELECT link.parent_id, link.child_id
  FROM link
  JOIN task parent ON parent.id = link.parent_id
  JOIN task child ON child.id = link.child_id
 WHERE link.waived_at IS NULL
   AND NOT (parent.status = 'done'
            OR (parent.status = 'archived' AND parent.archived_from = 'done')
            OR (child.start_after = 'any'
                AND (parent.status IN ('cancelled', 'archived')
                     OR (parent.status = 'blocked' AND parent.block_kind = 'gave_up'))));

-- What may start as far as the board itself knows: not paused, nothing of an earlier run alive, parents done.
CREATE VIEW startable AS
SELECT task.* FROM task
 WHERE task.status IN ('ready', 'review')
   AND NOT EXISTS (SELECT 1 FROM run WHERE run.task_id = task.id AND run.gone_at IS NULL)
   AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.scope = 'task' AND hold.name = CAST(task.id AS TEXT)
                                        AND hold.code = 'paused')
   AND (task.status = 'review' OR task.forced_at IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM open_link WHERE open_link.child_id = task.id));

-- The edges of the lifecycle table, as the trigger reads them.
INSERT INTO task_edge (source, target) VALUES
    ('archived', 'blocked'),
    ('archived', 'cancelled'),
    ('archived', 'done'),
    ('archived', 'ready'),
    ('archived', 'review'),
    ('archived', 'scheduled'),
    ('archived', 'todo'),
    ('archived', 'triage'),
    ('blocked', 'archived'),
    ('blocked', 'cancelled'),
    ('blocked', 'done'),
    ('blocked', 'ready'),
    ('blocked', 'review'),
    ('blocked', 'scheduled'),
    ('blocked', 'todo'),
    ('cancelled', 'archived'),
    ('cancelled', 'ready'),
    ('cancelled', 'todo'),
    ('done', 'archived'),
    ('done', 'ready'),
    ('done', 'todo'),
    ('ready', 'archived'),
    ('ready', 'blocked'),
    ('ready', 'cancelled'),
    ('ready', 'done'),
    ('ready', 'running'),
    ('ready', 'scheduled'),
    ('ready', 'todo'),
    ('review', 'archived'),
    ('review', 'blocked'),
    ('review', 'cancelled'),
    ('review', 'done'),
    ('review', 'ready'),
    ('review', 'running'),
    ('review', 'todo'),
    ('running', 'archived'),
    ('running', 'blocked'),
    ('running', 'cancelled'),
    ('running', 'done'),
    ('running', 'ready'),
    ('running', 'review'),
    ('running', 'scheduled'),
    ('running', 'todo'),
    ('running', 'triage'),
    ('scheduled', 'archived'),
    ('scheduled', 'cancelled'),
    ('scheduled', 'done'),
    ('scheduled', 'ready'),
    ('scheduled', 'review'),
    ('scheduled', 'todo'),
    ('todo', 'archived'),
    ('todo', 'blocked'),
    ('todo', 'cancelled'),
    ('todo', 'done'),
    ('todo', 'ready'),
    ('todo', 'review'),
    ('todo', 'scheduled'),
    ('triage', 'archived'),
    ('triage', 'cancelled'),
    ('triage', 'done'),
    ('triage', 'scheduled'),
    ('triage', 'todo');

-- only: sqlite
CREATE TRIGGER task_edge_guard BEFORE UPDATE OF status ON task
WHEN OLD.status <> NEW.status
     AND NOT EXISTS (SELECT 1 FROM task_edge WHERE source = OLD.status AND target = NEW.status)
BEGIN
    SELECT RAISE(ABORT, 'task_edge_guard: the lifecycle has no such edge');
END;
-- only: postgres
CREATE FUNCTION task_edge_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM task_edge WHERE source = OLD.status AND target = NEW.status) THEN
        RAISE EXCEPTION 'task_edge_guard: the lifecycle has no edge from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER task_edge_guard BEFORE UPDATE OF status ON task FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION task_edge_guard();
-- only: both
