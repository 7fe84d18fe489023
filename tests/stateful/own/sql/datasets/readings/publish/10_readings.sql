-- Inserts all of the batch's readings: they have no key, so none is compared with existing rows. The claim ensures that a file's readings
-- are loaded only once. Runs in the publish step.
INSERT INTO ${schema}.readings (ts, device_id, temperature_c, humidity_pct, battery_v, load_id, batch)
SELECT
    r.ts,
    r.device_id,
    r.temperature_c,
    r.humidity_pct,
    r.battery_v,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM ${loader_schema}.${reading_stage} AS r;
