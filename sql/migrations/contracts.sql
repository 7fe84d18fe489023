-- Which contracts the tables of the datasets have had, the present one last. Runs before tables are changed (functions/migrate.py), and
-- when a load is planned.
SELECT
    dataset,
    number,
    digest,
    key_columns,
    newest,
    columns,
    masks
FROM ${schema}.contracts
ORDER BY dataset, number;
