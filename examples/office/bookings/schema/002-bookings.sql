CREATE EXTENSION btree_gist;

-- Each form that is handed out has a ticket: sent twice, it is one booking.
CREATE TABLE booking (
  ticket uuid PRIMARY KEY,
  room text NOT NULL REFERENCES room,
  who text NOT NULL CHECK (who <> ''),
  during tsrange NOT NULL CHECK (NOT isempty(during)),
  made timestamptz NOT NULL DEFAULT now(),
  -- No room is taken twice at the same time, however many ask at once.
  CONSTRAINT taken EXCLUDE USING gist (room WITH =, during WITH &&)
);
