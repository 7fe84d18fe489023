-- Whether the database tells upper case from lower. Runs in the preflight ({"check": true}).
SELECT DB_COLLATION();
