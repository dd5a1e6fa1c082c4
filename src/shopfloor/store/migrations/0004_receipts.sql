-- Receipts of ended attempts, each with the hash of the one before, and where the user's hooks have got to.
-- New tables only, so that a program of the step before goes on working on the same board.

-- Nothing refers to a task or run here: receipts outlive both.  `body` is the receipt itself as one line of JSON;
-- `hash` is the SHA-256 of that line with its line end.  What stands in the other columns stands in the body too.
CREATE TABLE receipt (
    seq       @serial,
    run_id    BIGINT NOT NULL,
    task_id   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    previous  TEXT NOT NULL,
    hash      TEXT NOT NULL,
    body      TEXT NOT NULL,
    key       TEXT,
    signature TEXT,
    CHECK (seq > 0),
    CHECK ((key IS NULL) = (signature IS NULL))
);
CREATE UNIQUE INDEX receipt_run ON receipt (run_id);
CREATE INDEX receipt_of_task ON receipt (task_id, seq);
CREATE INDEX receipt_signed ON receipt (seq) WHERE signature IS NOT NULL;

-- The one row of the chain's end: whoever adds a receipt holds it.  Each run up to `floor` that is over has its receipt.
CREATE TABLE receipt_head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   BIGINT NOT NULL,
    hash  TEXT NOT NULL,
    floor BIGINT NOT NULL
);
INSERT INTO receipt_head (id, seq, hash, floor)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);

-- A user's hook on a host (on a board of one host: the empty name): the last event that it was given, and how it went.
CREATE TABLE hook (
    host          TEXT NOT NULL,
    name          TEXT NOT NULL,
    last_event    BIGINT NOT NULL,
    done          BIGINT NOT NULL,
    failed        BIGINT NOT NULL,
    skipped       BIGINT NOT NULL,
    last_at       BIGINT,
    last_error    TEXT,
    last_error_at BIGINT,
    PRIMARY KEY (host, name)
);
