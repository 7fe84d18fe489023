{% macro songplays() %}
select p.songplay_id, p.start_time, p.user_id, u.level, p.duration
from {{ ref('stg_plays') }} as p
join {{ ref('dim_users') }} as u on u.user_id = p.user_id
{% endmacro %}
