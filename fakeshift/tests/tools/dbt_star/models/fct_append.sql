{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}
{{ songplays() }}
{% if is_incremental() %}where p.start_time > (select max(start_time) from {{ this }}){% endif %}
