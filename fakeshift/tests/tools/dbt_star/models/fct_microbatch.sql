{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='start_time', batch_size='year', begin='2026-01-01') }}
{{ songplays() }}
