-- The batch's NextSong events by key (user, session, item, time): of several events with one key, the one with the smallest content, and
-- how many there are. A temporary table, so that the statements after it join typed rows and hash them once. Runs first of the dataset,
-- before reload/ in a reload.
CREATE TEMPORARY TABLE staged_plays
DISTKEY (session_id)
AS
SELECT
    w.user_id, w.session_id, w.item_in_session, w.ts AS start_time,
    w.level, w.song AS title, w.artist AS artist_name, w.length, w.location, w.user_agent, w.copies
FROM (
    SELECT
        e.user_id, e.session_id, e.item_in_session, e.ts,
        e.level, e.song, e.artist, e.length, e.location, e.user_agent,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts
            ORDER BY
                e.level ASC NULLS FIRST, e.song ASC NULLS FIRST, e.artist ASC NULLS FIRST,
                e.length ASC NULLS FIRST, e.location ASC NULLS FIRST, e.user_agent ASC NULLS FIRST
        ) AS place,
        COUNT(*) OVER (PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts) AS copies
    FROM ${loader_schema}.${event_stage} AS e
    WHERE e.page = 'NextSong'
) AS w
WHERE w.place = 1;
