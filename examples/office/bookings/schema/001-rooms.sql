CREATE TABLE room (name text PRIMARY KEY);
INSERT INTO room VALUES ('Meeting room'), ('Quiet room'), ('Workshop');
