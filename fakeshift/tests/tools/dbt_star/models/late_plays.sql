{{ config(materialized='view', bind=False) }}
select * from {{ ref('stg_plays') }}
