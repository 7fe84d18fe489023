-- Records how many rows of each dataset the load has staged, and in how many of them each column is filled. Runs after the staging tables
-- are dropped, in the same batch (functions/finish.py).
COPY ${schema}.column_figures (dataset, column_name, load_id, rows_staged, filled, told)
FROM '${figures}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
