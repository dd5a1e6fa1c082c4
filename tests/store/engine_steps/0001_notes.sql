CREATE TABLE note (
    id       @serial,
    word     TEXT NOT NULL CHECK (word <> ''),
    size     BIGINT NOT NULL,
    stage    TEXT NOT NULL,
    owner_id BIGINT,
    place    TEXT UNIQUE
);
CREATE UNIQUE INDEX note_word ON note (word);
CREATE UNIQUE INDEX note_owner ON note (owner_id, LOWER(word)) WHERE owner_id IS NOT NULL;

CREATE TABLE trace (
    id      @serial,
    note_id BIGINT REFERENCES note (id),
    what    TEXT NOT NULL
);

-- only: sqlite
CREATE TRIGGER note_guard BEFORE UPDATE OF stage ON note WHEN NEW.stage = 'never'
BEGIN
    SELECT RAISE(ABORT, 'task_edge_guard: there is no such edge; not even this one');
END;
-- only: postgres
CREATE FUNCTION note_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage = 'never' THEN
        RAISE EXCEPTION 'task_edge_guard: there is no edge from % to %', OLD.stage, NEW.stage
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER note_guard BEFORE UPDATE OF stage ON note FOR EACH ROW EXECUTE FUNCTION note_guard();
-- only: both
