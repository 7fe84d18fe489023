{{ config(materialized='table', dist='user_id', sort=['user_id']) }}
select user_id, first_name, level from {{ ref('raw_users') }}
