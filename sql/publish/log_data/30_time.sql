-- The times at which songs were played; week is the ISO week, weekday 0 is Sunday. Runs in the publish step.
INSERT INTO ${schema}.time (start_time, hour, day, week, month, year, weekday, load_id, batch)
SELECT
    t.ts,
    EXTRACT(HOUR FROM t.ts),
    EXTRACT(DAY FROM t.ts),
    EXTRACT(WEEK FROM t.ts),
    EXTRACT(MONTH FROM t.ts),
    EXTRACT(YEAR FROM t.ts),
    EXTRACT(DOW FROM t.ts),
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64))
FROM (
    SELECT DISTINCT e.ts
    FROM ${schema}.${event_stage} AS e
    WHERE e.page = 'NextSong'
) AS t
WHERE NOT EXISTS (
    SELECT 1
    FROM ${schema}.time AS d
    WHERE
        d.start_time = t.ts
        AND d.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
);
