-- Links in messages that were used: what each did, and when, for whoever opens it or sends its form again. It
-- names neither a person nor an address.
CREATE TABLE used_links (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    act TEXT NOT NULL,
    used_at TIMESTAMP NOT NULL
);

-- Links to purge.
CREATE INDEX used_links_by_use ON used_links (used_at);
