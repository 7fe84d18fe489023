-- Every staged NextSong event is in the fact table, by its key. Runs in the publish transaction of log files.
SELECT
    t.events AS figure,
    s.events AS expected
FROM (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT e.user_id, e.session_id, e.item_in_session, e.ts
        FROM ${loader_schema}.${event_stage} AS e
        INNER JOIN ${schema}.songplays AS f
            ON
                e.user_id = f.user_id
                AND e.session_id = f.session_id
                AND e.item_in_session = f.item_in_session
                AND e.ts = f.start_time
        WHERE
            e.page = 'NextSong'
            AND f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    ) AS there
) AS t
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT n.user_id, n.session_id, n.item_in_session, n.ts
        FROM ${loader_schema}.${event_stage} AS n
        WHERE n.page = 'NextSong'
    ) AS staged
) AS s
