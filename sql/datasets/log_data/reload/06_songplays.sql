-- A reload takes over the events of its files, by key, from whatever load has them. A load that has other files with such an event shares
-- it with this load from now on: that is recorded, so that undo of this load is refused. It concerns a batch that doubled events itself or
-- of which no file is replaced, a batch that left out events because of a load that is taken over, and a batch whose version of a user was
-- such an event and which has other files. Runs after publish/05_staged_plays.sql.
CREATE TEMPORARY TABLE taken_over
DISTKEY (session_id)
AS
SELECT
    t.load_id, t.batch, t.user_id, t.session_id, t.item_in_session, t.start_time
FROM (
    SELECT f.load_id, f.batch, f.user_id, f.session_id, f.item_in_session, f.start_time
    FROM ${schema}.songplays AS f
    WHERE f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    UNION ALL
    SELECT k.load_id, k.batch, k.user_id, k.session_id, k.item_in_session, k.start_time
    FROM ${schema}.songplay_versions AS k
    WHERE k.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
) AS t
INNER JOIN staged_plays AS p
    ON
        t.user_id = p.user_id
        AND t.session_id = p.session_id
        AND t.item_in_session = p.item_in_session
        AND t.start_time = p.start_time
WHERE t.load_id <> '${load_id}';

INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    t.load_id,
    t.batch,
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    COUNT(*)
FROM taken_over AS t
LEFT JOIN (
    SELECT DISTINCT
        r.load_id,
        r.batch
    FROM ${schema}.files AS r
    INNER JOIN ${schema}.files AS mine
        ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
    LEFT JOIN ${schema}.left_out AS o
        ON r.load_id = o.load_id AND r.batch = o.batch AND r.load_id = o.of_load_id AND o.dataset = '${dataset}'
    WHERE
        mine.load_id = '${load_id}'
        AND mine.batch = '${batch}'
        AND r.status = 'replaced'
        AND o.load_id IS NULL
) AS x
    ON t.load_id = x.load_id AND t.batch = x.batch
WHERE
    x.load_id IS NULL
    AND t.load_id IN (
        SELECT l.load_id FROM ${schema}.files AS l
        WHERE l.dataset = '${dataset}' AND l.status = 'loaded'
    )
GROUP BY t.load_id, t.batch
UNION ALL
SELECT
    l.load_id,
    l.batch,
    l.dataset,
    CAST('${load_id}' AS VARCHAR(64)),
    l.left_rows
FROM ${schema}.left_out AS l
WHERE
    l.dataset = '${dataset}'
    AND l.load_id <> l.of_load_id
    AND l.load_id <> '${load_id}'
    AND l.load_id IN (
        SELECT o.load_id FROM ${schema}.files AS o
        WHERE o.dataset = '${dataset}' AND o.status = 'loaded'
    )
    AND l.of_load_id IN (SELECT q.load_id FROM taken_over AS q)
UNION ALL
SELECT
    v.load_id,
    v.batch,
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    COUNT(*)
FROM ${schema}.user_versions AS v
INNER JOIN staged_plays AS e
    ON
        v.user_id = e.user_id
        AND v.session_id = e.session_id
        AND v.item_in_session = e.item_in_session
        AND v.start_time = e.start_time
INNER JOIN (
    SELECT DISTINCT
        n.load_id,
        n.batch
    FROM ${schema}.files AS n
    WHERE n.status = 'loaded'
) AS b
    ON v.load_id = b.load_id AND v.batch = b.batch
WHERE v.load_id <> '${load_id}'
GROUP BY v.load_id, v.batch;

DELETE FROM ${schema}.songplay_versions
USING staged_plays AS p
WHERE
    songplay_versions.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND songplay_versions.user_id = p.user_id
    AND songplay_versions.session_id = p.session_id
    AND songplay_versions.item_in_session = p.item_in_session
    AND songplay_versions.start_time = p.start_time;

DELETE FROM ${schema}.songplays
USING staged_plays AS p
WHERE
    songplays.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND songplays.user_id = p.user_id
    AND songplays.session_id = p.session_id
    AND songplays.item_in_session = p.item_in_session
    AND songplays.start_time = p.start_time;
