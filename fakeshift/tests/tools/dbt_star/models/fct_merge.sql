{{ config(materialized='incremental', incremental_strategy='merge', unique_key='songplay_id', on_schema_change='sync_all_columns') }}
{{ songplays() }}
