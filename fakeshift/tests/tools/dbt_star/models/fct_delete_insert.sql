{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='songplay_id') }}
{{ songplays() }}
