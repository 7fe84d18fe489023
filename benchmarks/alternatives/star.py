"""One star schema in SQL that Redshift and DuckDB both take; every way but the loader itself runs it.

It reads ``song_stage`` and ``event_stage`` (columns as below, ``ts`` a TIMESTAMP) and has the winners of
tests/world/oracle.py, so that all ways can be compared. Standard library only: it runs in dlt's environment too.
"""

from __future__ import annotations

TABLES = ("songs", "artists", "users", "songplays", "time")

_PLAYS = (
    "SELECT e.*, ROW_NUMBER() OVER (PARTITION BY userid, sessionid, iteminsession, ts ORDER BY level) AS n "
    "FROM event_stage e WHERE page = 'NextSong'"
)

_SELECTS = {
    "songs": (
        "song_id VARCHAR(50), title VARCHAR(500), artist_id VARCHAR(50), year INTEGER, duration DOUBLE PRECISION",
        ("SELECT song_id, title, artist_id, NULLIF(year, 0), duration FROM (SELECT s.*, ROW_NUMBER() OVER "
        "(PARTITION BY song_id ORDER BY title, artist_id) AS n FROM song_stage s) numbered WHERE n = 1"),
    ),
    "artists": (
        ("artist_id VARCHAR(50), name VARCHAR(500), location VARCHAR(500), latitude DOUBLE PRECISION, "
        "longitude DOUBLE PRECISION"),
        ("SELECT artist_id, artist_name, NULLIF(artist_location, ''), artist_latitude, artist_longitude FROM "
        "(SELECT s.*, ROW_NUMBER() OVER (PARTITION BY artist_id ORDER BY song_id) AS n FROM song_stage s) numbered "
        "WHERE n = 1"),
    ),
    "users": (
        "user_id INTEGER, first_name VARCHAR(100), last_name VARCHAR(100), gender VARCHAR(1), level VARCHAR(10)",
        ("SELECT userid, firstname, lastname, gender, level FROM (SELECT e.*, ROW_NUMBER() OVER (PARTITION BY userid "
        "ORDER BY ts DESC, sessionid DESC, iteminsession DESC) AS n FROM event_stage e WHERE page = 'NextSong') "
        "numbered WHERE n = 1"),
    ),
    "songplays": (
        ("start_time TIMESTAMP, user_id INTEGER, level VARCHAR(10), song_id VARCHAR(50), artist_id VARCHAR(50), "
        "session_id INTEGER, location VARCHAR(500), user_agent VARCHAR(500)"),
        ("SELECT p.ts, p.userid, p.level, m.song_id, m.artist_id, p.sessionid, p.location, p.useragent "
        f"FROM ({_PLAYS}) p LEFT JOIN (SELECT song_id, artist_id, title, artist_name, duration FROM (SELECT s.*, "
        "ROW_NUMBER() OVER (PARTITION BY title, artist_name, duration ORDER BY song_id) AS m FROM song_stage s) "
        "numbered WHERE m = 1) m ON m.title = p.song AND m.artist_name = p.artist AND m.duration = p.length "
        "WHERE p.n = 1"),
    ),
    "time": (
        "start_time TIMESTAMP, hour INTEGER, day INTEGER, week INTEGER, month INTEGER, year INTEGER, weekday INTEGER",
        ("SELECT start_time, EXTRACT(hour FROM start_time), EXTRACT(day FROM start_time), "
        "EXTRACT(week FROM start_time), EXTRACT(month FROM start_time), EXTRACT(year FROM start_time), "
        "EXTRACT(dow FROM start_time) FROM (SELECT DISTINCT start_time FROM songplays) times"),
    ),
}  # fmt: skip

STAGES = {
    "song_stage": (
        "num_songs INTEGER, artist_id VARCHAR(50), artist_latitude DOUBLE PRECISION, artist_longitude DOUBLE "
        "PRECISION, artist_location VARCHAR(500), artist_name VARCHAR(500), song_id VARCHAR(50), title VARCHAR(500), "
        "duration DOUBLE PRECISION, year INTEGER"
    ),
    "event_stage": (
        "artist VARCHAR(500), auth VARCHAR(20), firstname VARCHAR(100), gender VARCHAR(1), iteminsession INTEGER, "
        "lastname VARCHAR(100), length DOUBLE PRECISION, level VARCHAR(10), location VARCHAR(500), method VARCHAR(10), "
        "page VARCHAR(30), registration BIGINT, sessionid INTEGER, song VARCHAR(500), status INTEGER, ts TIMESTAMP, "
        "useragent VARCHAR(500), userid INTEGER"
    ),
}  # fmt: skip
EVENT_KEYS = (
    "artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location", "method",
    "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId",
)  # fmt: skip


def stages() -> list[str]:
    """Statements that make empty staging tables."""
    return [
        text
        for name, columns in STAGES.items()
        for text in (f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({columns})")
    ]


def star() -> list[str]:
    """Statements that make the star schema anew of all that is staged."""
    return [
        text
        for name in TABLES
        for text in (
            f"DROP TABLE IF EXISTS {name}",
            f"CREATE TABLE {name} ({_SELECTS[name][0]})",
            f"INSERT INTO {name} {_SELECTS[name][1]}",
        )
    ]
