-- Links in messages that were used: what each did, and when, for whoever opens it or sends its form again. It
-- names neither a person nor an address.
CREATE TABLE used_links (
    id UUID NOT NULL PRIMARY KEY,
    act TEXT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
);

-- Links to purge.
CREATE INDEX used_links_by_use ON used_links (used_at);
