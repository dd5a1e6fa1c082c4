-- Who wants to hear of what, and what is sent to them.  New tables only, so that a program of the step before goes on
-- working on the same board; what it writes meanwhile is told to nobody.

-- `about` is what it is of: `board`, `task:7`, `tenant:x`, `assignee:x` or `schedule:7`.  One that ended is kept for
-- its deliveries.  `quiet_until`: after a message, the next events of it gather so long.
CREATE TABLE subscription (
    id          @serial,
    target      TEXT NOT NULL CHECK (target <> ''),
    about       TEXT NOT NULL CHECK (about <> ''),
    kinds       TEXT NOT NULL,
    files       INTEGER NOT NULL CHECK (files IN (0, 1)),
    creator     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    quiet_until BIGINT NOT NULL,
    ended_at    BIGINT,
    ended_why   TEXT,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE UNIQUE INDEX subscription_once ON subscription (about, target) WHERE ended_at IS NULL;

-- What the events are matched with: a row for each kind of each living subscription, and for each task that came
-- from the one that is subscribed to.
CREATE TABLE interest (
    kind            TEXT NOT NULL,
    about           TEXT NOT NULL,
    subscription_id BIGINT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, about, subscription_id)
);
CREATE INDEX interest_of_subscription ON interest (subscription_id);
CREATE INDEX interest_about ON interest (about);

-- One event for one target, or a trial without an event.  `message` is set once, before it is first sent, in the row that
-- carries it; others of the same burst are `carried` and name that row.  `tries` counts the sends of the present round,
-- `sends` all of them, so a late answer to an older send is told from the present one.  `error` stands as long as the
-- message has not arrived.  Rows stay when their task is deleted.
CREATE TABLE delivery (
    id              @serial,
    subscription_id BIGINT REFERENCES subscription (id) ON DELETE SET NULL,
    event_id        BIGINT,
    task_id         BIGINT,
    kind            TEXT NOT NULL,
    title           TEXT NOT NULL,
    words           TEXT NOT NULL,
    target          TEXT NOT NULL,
    files           INTEGER NOT NULL CHECK (files IN (0, 1)),
    created_at      BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'given_up', 'carried', 'dropped')),
    fresh           INTEGER NOT NULL CHECK (fresh IN (0, 1)),
    next_at         BIGINT NOT NULL,
    tries           INTEGER NOT NULL CHECK (tries >= 0),
    sends           INTEGER NOT NULL CHECK (sends >= 0),
    holder          TEXT,
    lease_until     BIGINT,
    carried_by      BIGINT REFERENCES delivery (id) ON DELETE CASCADE,
    message         TEXT,
    error           TEXT,
    ended_at        BIGINT,
    CHECK ((state = 'sending') = (holder IS NOT NULL)),
    CHECK ((holder IS NULL) = (lease_until IS NULL)),
    CHECK ((state = 'carried') = (carried_by IS NOT NULL))
);
CREATE UNIQUE INDEX delivery_once ON delivery (event_id, target) WHERE event_id IS NOT NULL;
CREATE INDEX delivery_waiting ON delivery (target, fresh, next_at, id) WHERE state = 'waiting';
CREATE INDEX delivery_gathering ON delivery (subscription_id, id) WHERE state = 'waiting';
CREATE INDEX delivery_sending ON delivery (lease_until) WHERE state = 'sending';
CREATE INDEX delivery_carried ON delivery (carried_by, id) WHERE carried_by IS NOT NULL;
CREATE INDEX delivery_of_task ON delivery (task_id, id);
CREATE INDEX delivery_troubled ON delivery (task_id) WHERE error IS NOT NULL;
