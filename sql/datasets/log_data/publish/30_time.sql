-- The times at which songs were played; week is the ISO week, weekday 0 is Sunday. Runs in the publish step.
INSERT INTO ${schema}.time (start_time, hour, day, week, month, year, weekday, load_id, batch)
SELECT
    t.start_time,
    EXTRACT(HOUR FROM t.start_time),
    EXTRACT(DAY FROM t.start_time),
    EXTRACT(WEEK FROM t.start_time),
    EXTRACT(MONTH FROM t.start_time),
    EXTRACT(YEAR FROM t.start_time),
    EXTRACT(DOW FROM t.start_time),
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM (
    SELECT DISTINCT p.start_time
    FROM staged_plays AS p
) AS t
LEFT JOIN ${schema}.time AS d
    ON
        t.start_time = d.start_time
        AND d.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
WHERE d.start_time IS NULL;
