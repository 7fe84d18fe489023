-- The figures of the checks that passed on staging go into the ledger with the data. Runs before the dataset's own statements.
COPY ${schema}.check_results (load_id, batch, checked, name, figure, expected, definition)
FROM '${staged_checks}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
