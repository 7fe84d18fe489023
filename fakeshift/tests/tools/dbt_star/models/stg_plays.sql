{{ config(event_time='start_time') }}
select
    songplay_id,
    cast(start_time as timestamp) as start_time,
    user_id,
    cast(duration as numeric(9, 2)) as duration
from {{ ref('raw_plays') }}
