-- What puts tasks on the board by the clock: schedules, and each time at which one was due.
-- New tables only, so that a program of the step before goes on working on the same board.

-- A schedule.  `kind` and `expression` are what its words mean (domain/recurrence.py), `request` is the task as
-- it was asked for.  Nothing that is due at `settled_until` or before ever fires again.  `next_due` is the next
-- due time and `next_at` when it fires, which is later by the jitter; without them it is paused or over.
CREATE TABLE schedule (
    id            @serial,
    name          TEXT NOT NULL CHECK (name <> ''),
    words         TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('cron', 'every', 'at')),
    expression    TEXT NOT NULL,
    zone          TEXT NOT NULL,
    anchor        BIGINT NOT NULL,
    request       TEXT NOT NULL,
    overlap       TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'allow')),
    missed        TEXT NOT NULL CHECK (missed IN ('none', 'last', 'all')),
    window_ms     BIGINT NOT NULL CHECK (window_ms >= 0),
    jitter_ms     BIGINT NOT NULL CHECK (jitter_ms >= 0),
    ends_at       BIGINT,
    firings_max   BIGINT CHECK (firings_max > 0),
    keep          INTEGER NOT NULL CHECK (keep > 0),
    keep_ms       BIGINT CHECK (keep_ms > 0),
    fired         BIGINT NOT NULL CHECK (fired >= 0),
    settled_until BIGINT NOT NULL,
    next_due      BIGINT,
    next_at       BIGINT,
    paused_at     BIGINT,
    paused_by     TEXT,
    clock_at      BIGINT NOT NULL,
    creator       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    CHECK ((next_due IS NULL) = (next_at IS NULL)),
    CHECK (paused_at IS NULL OR next_at IS NULL),
    CHECK ((paused_at IS NULL) = (paused_by IS NULL))
);
CREATE UNIQUE INDEX schedule_name ON schedule (name);
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;

-- One due time of one schedule and what came of it, at most once.  `number` counts those that fired; `times` is
-- how many due times a row stands for, where several were missed.  `dropped_at`: the task was archived and its
-- output removed.  The task may be deleted; the row stays.
CREATE TABLE firing (
    schedule_id BIGINT NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    due_at      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('fired', 'skipped', 'missed', 'refused', 'clock')),
    number      BIGINT,
    times       BIGINT NOT NULL CHECK (times > 0),
    task_id     BIGINT REFERENCES task (id) ON DELETE SET NULL,
    by_hand     TEXT,
    reason      TEXT,
    dropped_at  BIGINT,
    PRIMARY KEY (schedule_id, due_at),
    CHECK ((outcome = 'fired') = (number IS NOT NULL)),
    CHECK (outcome = 'fired' OR (task_id IS NULL AND reason IS NOT NULL))
);
CREATE INDEX firing_of_task ON firing (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX firing_kept ON firing (schedule_id, due_at) WHERE outcome = 'fired' AND dropped_at IS NULL;
CREATE INDEX firing_dropped ON firing (dropped_at) WHERE dropped_at IS NOT NULL;
