-- What agents need beside tasks and runs: questions, what was spent, limits, accounts that are used up.
-- New tables only, so that a program of the step before goes on working on the same board.

-- A question of a worker.  Open until `answered_at` is set; without an `answer` it was closed unanswered.
CREATE TABLE question (
    id             @serial,
    task_id        BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    run_id         BIGINT,
    kind           TEXT NOT NULL CHECK (kind IN ('question', 'permission')),
    body           TEXT NOT NULL CHECK (body <> ''),
    options        TEXT NOT NULL,
    default_answer TEXT,
    deadline       BIGINT,
    asked_at       BIGINT NOT NULL,
    asked_by       TEXT NOT NULL,
    answer         TEXT,
    answered_at    BIGINT,
    answered_by    TEXT,
    CHECK ((default_answer IS NULL) = (deadline IS NULL)),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
    CHECK (answer IS NULL OR answered_at IS NOT NULL)
);
CREATE INDEX question_of_task ON question (task_id, id);
CREATE INDEX question_open ON question (task_id, id) WHERE answered_at IS NULL;
CREATE INDEX question_due ON question (deadline) WHERE answered_at IS NULL AND deadline IS NOT NULL;

-- What a run has used so far; `account` is the provider account that it was charged to.
CREATE TABLE spend (
    run_id             BIGINT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    task_id            BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    profile            TEXT,
    account            TEXT,
    model              TEXT,
    input_tokens       BIGINT NOT NULL CHECK (input_tokens >= 0),
    output_tokens      BIGINT NOT NULL CHECK (output_tokens >= 0),
    cache_read_tokens  BIGINT NOT NULL CHECK (cache_read_tokens >= 0),
    cache_write_tokens BIGINT NOT NULL CHECK (cache_write_tokens >= 0),
    cost_micros        BIGINT CHECK (cost_micros >= 0),
    at                 BIGINT NOT NULL
);
CREATE INDEX spend_of_task ON spend (task_id);
CREATE INDEX spend_of_profile ON spend (profile, at);
CREATE INDEX spend_at ON spend (at);

-- What an agent left as its last words, and what its runner made of its end.
CREATE TABLE report (
    run_id    BIGINT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    ending    TEXT,
    sentence  TEXT,
    next_step TEXT,
    text      TEXT,
    turns     INTEGER NOT NULL,
    reminders INTEGER NOT NULL
);

-- The limits of one task over all its attempts.
CREATE TABLE budget (
    task_id     BIGINT PRIMARY KEY REFERENCES task (id) ON DELETE CASCADE,
    tokens      BIGINT CHECK (tokens > 0),
    cost_micros BIGINT CHECK (cost_micros > 0),
    CHECK (tokens IS NOT NULL OR cost_micros IS NOT NULL)
);

-- A provider account that reached its limit; an account without a row has none to wait for.
CREATE TABLE quota (
    account   TEXT PRIMARY KEY CHECK (account <> ''),
    state     TEXT NOT NULL CHECK (state IN ('parked', 'probing', 'opening')),
    since     BIGINT NOT NULL,
    until     BIGINT NOT NULL,
    rounds    INTEGER NOT NULL CHECK (rounds >= 0),
    probe_run BIGINT,
    reason    TEXT NOT NULL,
    opened_at BIGINT,
    CHECK ((state = 'probing') = (probe_run IS NOT NULL)),
    CHECK ((state = 'opening') = (opened_at IS NOT NULL))
);

-- Up to which comment the worker of a run was told what was said.
CREATE TABLE seen (
    run_id     BIGINT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    comment_id BIGINT NOT NULL
);

-- Questions to a model about a task, written before they are asked: never twice for the same answered text, and
-- at most so many for one task.  Without an `outcome` the question is under way, or its asker died.
CREATE TABLE planning (
    id            @serial,
    task_id       BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    verb          TEXT NOT NULL CHECK (verb IN ('specify', 'split', 'judge')),
    digest        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    at            BIGINT NOT NULL,
    outcome       TEXT CHECK (outcome IN ('answered', 'failed')),
    error         TEXT,
    input_tokens  BIGINT CHECK (input_tokens >= 0),
    output_tokens BIGINT CHECK (output_tokens >= 0)
);
CREATE INDEX planning_of_task ON planning (task_id, verb, id);
