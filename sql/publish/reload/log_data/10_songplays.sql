-- A reload deletes the events of its files by key, to insert them anew. Runs before publish/log_data/.
DELETE FROM ${schema}.songplays
WHERE
    start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.${event_stage} AS e
        WHERE
            e.user_id = songplays.user_id
            AND e.session_id = songplays.session_id
            AND e.item_in_session = songplays.item_in_session
            AND e.ts = songplays.start_time
    );
