-- Checks whether the database compares text case-sensitively. Runs in the preflight ({"check": true}).
SELECT DB_COLLATION();
