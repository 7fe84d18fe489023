"""What could be wrong in the product, and the test that says so: each mutant is a small replacement of text in a copy
of the tree, and its test must fail with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class Stale(Exception):
    """The text that a mutant replaces is not there, or not once."""


@dataclass(frozen=True)
class Edit:
    """Replaces ``old``, which is there once, by ``new``; with ``after`` the first one that comes after that text."""

    path: str
    old: str
    new: str
    after: str = ""

    def applied(self, text: str) -> str:
        """The changed text; raises Stale."""
        if self.after and text.count(self.after) != 1:
            raise Stale(f"{self.path}: {text.count(self.after)} times, not once: {self.after}")
        begin = text.index(self.after) if self.after else 0
        found = text.count(self.old, begin)
        if found == 0 or (found > 1 and not self.after):
            raise Stale(f"{self.path}: {found} times, not once: {self.old}")
        place = text.index(self.old, begin)
        return text[:place] + self.new + text[place + len(self.old) :]


@dataclass(frozen=True)
class Mutant:
    """``name`` says what is wrong; ``test`` is the pytest node that must fail."""

    name: str
    test: str
    edits: tuple[Edit, ...]

    def applied(self, tree: Path) -> dict[str, str]:
        """Path -> changed text of the files of a tree; raises Stale."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            text = texts.get(edit.path) or (tree / edit.path).read_text(encoding="utf-8")
            texts[edit.path] = edit.applied(text)
        return texts


def mutant(name: str, test: str, path: str, old: str, new: str, after: str = "") -> Mutant:
    """A mutant of one edit; its test is one of the scenarios if it does not name its file."""
    return of_edits(name, test, Edit(path, old, new, after))


def of_edits(name: str, test: str, *edits: Edit) -> Mutant:
    """A mutant of several edits."""
    return Mutant(name, test if "::" in test else f"{SCENARIOS}::{test}", edits)


CHANGE = "tests/contracts/test_change.py"
PARQUET = "tests/stateful/test_parquet.py"
STATE = "tests/page/test_state.py"
DOCUMENT = "tests/page/test_document.py"
HISTORY = "tests/unit/test_history.py"
EVENT = "tests/unit/test_event.py"
SCENARIOS = "tests/stateful/test_scenarios.py"
SECOND = "tests/stateful/test_second_dataset.py"
MANY = "tests/stateful/test_many_datasets.py"
PAGE = "docs/hand-written-datasets/sql/datasets"
REVIEWED = "tests/stateful/test_reviewed.py"
UPGRADE = "tests/upgrade/test_upgrade.py"
INTERRUPTED = "tests/statemachine/test_interruptions.py"
BAD_FILES = "tests/stateful/test_bad_files.py"
STAGE, FIND, BATCHES, FAILURES = (
    f"tests/unit/test_{name}.py" for name in ("stage", "find_bad_files", "batches", "failures")
)
HEADERS = "tests/unit/test_headers.py"
BAD_ROWS = "tests/stateful/test_bad_rows.py"
MASKING = "tests/stateful/test_masking.py"
UNKNOWN = "tests/stateful/test_unknown_keys.py"
CONTRACTS = "tests/stateful/test_contracts.py"
GENERATE = "contracts/generate"
PUBLISH, UNDO, DATASETS = "sql/publish", "sql/undo", "sql/datasets"
GOES_BACK = "tests/stateful/test_ledger_goes_back.py"
MACHINE = "statemachine/load.asl.json"

AT_ONCE = "test_loads_at_once_publish_an_event_of_both_once"
SAME_FILE_AT_ONCE = "test_loads_of_one_file_at_once_load_it_once"
TWO_FILES = "test_an_event_of_two_files_is_one_play"
PLAYS_AND_USERS = "test_the_data_decides_about_plays_and_users_not_the_arrival"
SONGS_AND_ARTISTS = "test_the_data_decides_about_songs_and_artists_not_the_arrival"
EQUAL_SONGS = "test_the_data_decides_which_of_equal_songs_a_play_has_not_the_arrival"
PUT_BACK = "test_undo_puts_back_what_the_load_had_replaced"
RELOAD = "test_a_reload_replaces_what_its_files_had_loaded"
WITHDRAWN = "test_a_withdrawn_file_is_loaded_again_by_its_key_and_not_otherwise"

LOCK = "LOCK ${loader_schema}.publish_lock;"
UPDATE = "UPDATE ${loader_schema}.publish_lock\nSET holder = '${load_id}';"
NO_UPDATE = (
    Edit(f"{PUBLISH}/begin.sql", UPDATE, ""),
    Edit(f"{PUBLISH}/claim.sql", "WHEN k.held <> 1 THEN", "WHEN k.held < 0 THEN"),
)

MUTANTS = (
    # -- the publish transaction -----------------------------------------------------------
    # Without LOCK alone all would still be well: the update of the lock's row makes one of two publishers wait, or fail
    # and try again. So it takes both to see that either does its work.
    mutant(
        "publish does not LOCK",
        "tests/unit/test_sql_files.py::test_the_lock_is_first",
        f"{PUBLISH}/begin.sql",
        LOCK,
        "",
    ),
    of_edits(
        "publish reads a table instead of the LOCK, and the lock's row is not updated",
        AT_ONCE,
        Edit(f"{PUBLISH}/begin.sql", LOCK, "SELECT COUNT(*) FROM ${schema}.songplays;"),
        *NO_UPDATE,
    ),
    of_edits(
        "publish reads a table before it LOCKs, and the lock's row is not updated",
        AT_ONCE,
        Edit(
            f"{PUBLISH}/begin.sql", LOCK, f"SELECT COUNT(*) FROM ${{schema}}.songplays;\n\n{LOCK}"
        ),
        *NO_UPDATE,
    ),
    of_edits(
        "the lock's row is not updated, and LOCK takes the snapshot",
        f"{AT_ONCE}[lock-snapshot]",
        *NO_UPDATE,
    ),
    mutant(
        "publish goes on without the lock's row",
        f"{REVIEWED}::test_the_locks_row_comes_back_by_itself",
        f"{PUBLISH}/claim.sql",
        "WHEN k.held <> 1 THEN",
        "WHEN k.held > 1 THEN",
    ),
    mutant(
        "the claim does not see an earlier attempt of its own",
        "test_a_publish_that_is_sent_twice_fails_the_second_time",
        f"{PUBLISH}/claim.sql",
        "WHEN p.published > 0 THEN",
        "WHEN p.published < 0 THEN",
    ),
    mutant(
        "an attempt that finds itself published is not tried again",
        "test_the_same_attempt_published_again_changes_nothing",
        "functions/publish.py",
        "case Kind.LOST | Kind.AGAIN | Kind.TRY_AGAIN if",
        "case Kind.LOST | Kind.TRY_AGAIN if",
    ),
    mutant(
        "another attempt does not take out what an earlier one said of users",
        "test_the_same_attempt_published_again_changes_nothing",
        f"{DATASETS}/log_data/again/user_versions.sql",
        "WHERE load_id",
        "WHERE 1 = 0 AND load_id",
    ),
    mutant(
        "the claim takes files that are loaded already",
        SAME_FILE_AT_ONCE,
        f"{PUBLISH}/claim.sql",
        "AND (other.status = 'loaded' OR (",
        "AND ((",
    ),
    mutant(
        "the claim takes files that were withdrawn",
        WITHDRAWN,
        f"{PUBLISH}/claim.sql",
        "other.status = 'withdrawn'",
        "other.status = 'none'",
    ),
    mutant(
        "the claim refuses withdrawn files that were named",
        WITHDRAWN,
        f"{PUBLISH}/claim.sql",
        "${named} = 0",
        "${named} >= 0",
    ),
    mutant(
        "a load that was undone goes on publishing",
        "test_a_load_that_is_undone_while_it_runs_publishes_nothing_more",
        f"{PUBLISH}/claim.sql",
        "WHERE load_id = '${load_id}'\n) AS u",
        "WHERE load_id = '${load_id}' AND 1 = 0\n) AS u",
    ),
    mutant(
        "publish leaves its own rows of an earlier attempt",
        "test_publishing_twice_changes_nothing",
        f"{PUBLISH}/again.sql",
        "DELETE FROM ${schema}.files\nWHERE load_id",
        "DELETE FROM ${schema}.files\nWHERE 1 = 0 AND load_id",
    ),
    mutant(
        "the rejection of a fixed file stays open",
        "test_a_mended_file_is_loaded_and_its_rejection_is_closed",
        f"{PUBLISH}/claim.sql",
        "status IN ('rejected', 'missing', 'unreadable', 'waiting')",
        "status IN ('missing', 'unreadable', 'waiting')",
    ),
    mutant(
        "the guard is left out",
        "test_a_check_that_fails_publishes_nothing",
        "functions/loader/statements.py",
        '        *sql.render("publish/guard.sql", {**names, "check_count": str(len(checks))}),\n',
        "",
    ),
    mutant(
        "the guard does not count the results",
        "test_a_check_that_leaves_no_row_publishes_nothing",
        f"{PUBLISH}/guard.sql",
        "WHEN r.results = ${check_count} AND r.failed = 0 THEN '0'",
        "WHEN r.failed = 0 THEN '0'",
    ),
    # -- once ------------------------------------------------------------------------------
    mutant(
        "plays that are there are inserted again",
        TWO_FILES,
        f"{DATASETS}/log_data/publish/40_songplays.sql",
        "WHERE f.start_time IS NULL",
        "WHERE 1 = 1",
    ),
    mutant(
        "times that are there are inserted again",
        TWO_FILES,
        f"{DATASETS}/log_data/publish/30_time.sql",
        "WHERE d.start_time IS NULL",
        "WHERE 1 = 1",
    ),
    mutant(
        "users that are there are inserted again",
        PLAYS_AND_USERS,
        f"{DATASETS}/log_data/publish/20_users.sql",
        "AND u.user_id IS NULL",
        "AND 1 = 1",
    ),
    mutant(
        "songs that are inserted again stay",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/20_songs.sql",
        "DELETE FROM ${schema}.songs\nWHERE song_id",
        "DELETE FROM ${schema}.songs\nWHERE 1 = 0 AND song_id",
    ),
    mutant(
        "artists that are there are inserted again",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/50_artists.sql",
        "AND d.artist_id IS NULL",
        "AND 1 = 1",
    ),
    mutant(
        "an event that a file has twice is two plays",
        "test_an_event_twice_in_a_file_is_one_play",
        f"{DATASETS}/log_data/publish/05_staged_plays.sql",
        "WHERE w.place = 1",
        "WHERE w.place > 0",
    ),
    mutant(
        "two equal songs double a play",
        "test_two_songs_of_one_name_do_not_double_a_play",
        f"{DATASETS}/log_data/publish/40_songplays.sql",
        "AND m.place = 1",
        "AND m.place > 0",
    ),
    # -- order: the arrival decides, not the data ------------------------------------------
    mutant(
        "the last file decides a user",
        PLAYS_AND_USERS,
        f"{DATASETS}/log_data/publish/20_users.sql",
        "WHERE w.place = 1 AND w.is_new = 1",
        "WHERE w.is_new = 1",
    ),
    mutant(
        "the first file decides a user",
        PLAYS_AND_USERS,
        f"{DATASETS}/log_data/publish/20_users.sql",
        "WHERE w.place = 1 AND w.is_new = 1",
        "WHERE w.place = 1 AND w.is_new = 2",
    ),
    mutant(
        "the last file decides a play",
        PLAYS_AND_USERS,
        f"{DATASETS}/log_data/publish/35_songplays_replaced.sql",
        "WHERE w.is_staged = 0 AND w.place > 1",
        "WHERE w.is_staged = 0",
    ),
    mutant(
        "the first file decides a play",
        PLAYS_AND_USERS,
        f"{DATASETS}/log_data/publish/35_songplays_replaced.sql",
        "WHERE w.is_staged = 0 AND w.place > 1",
        "WHERE w.is_staged = 0 AND w.place < 1",
    ),
    mutant(
        "the last file decides a song",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/20_songs.sql",
        "WHERE w.place = 1 AND w.is_mine = 1",
        "WHERE w.is_mine = 1",
    ),
    mutant(
        "the first file decides a song",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/20_songs.sql",
        "ORDER BY\n                c.title ASC",
        "ORDER BY\n                c.is_mine ASC, c.title ASC",
    ),
    mutant(
        "the first song decides an artist",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/50_artists.sql",
        "n.song_id < b.as_of_song_id",
        "n.song_id < ''",
    ),
    mutant(
        "the last load's song decides an artist",
        SONGS_AND_ARTISTS,
        f"{DATASETS}/song_data/publish/50_artists.sql",
        "ORDER BY s.song_id ASC",
        "ORDER BY s.load_id DESC, s.song_id ASC",
    ),
    mutant(
        "a play keeps the first of equal songs",
        EQUAL_SONGS,
        f"{DATASETS}/song_data/publish_and_undo/75_songplays.sql",
        "OR songplays.song_id <> m.song_id",
        "OR 1 = 0",
    ),
    mutant(
        "a play has the last of equal songs",
        EQUAL_SONGS,
        f"{DATASETS}/song_data/publish_and_undo/75_songplays.sql",
        "ORDER BY s.song_id ASC",
        "ORDER BY s.load_id DESC",
    ),
    mutant(
        "a new play has the last of equal songs",
        EQUAL_SONGS,
        f"{DATASETS}/log_data/publish/40_songplays.sql",
        "ORDER BY s.song_id ASC",
        "ORDER BY s.load_id DESC, s.song_id DESC",
    ),
    mutant(
        "late songs are left out",
        "test_a_late_song_finds_its_plays",
        f"{DATASETS}/song_data/publish_and_undo/75_songplays.sql",
        "songplays.song_id IS NULL",
        "1 = 0",
    ),
    mutant(
        "blanks at the end of a title keep a late song from its plays",
        "test_a_late_song_finds_its_plays",
        f"{DATASETS}/song_data/publish_and_undo/75_songplays.sql",
        "RTRIM(s.title) AS title",
        "s.title || '' AS title",
    ),
    # -- files -----------------------------------------------------------------------------
    mutant(
        "a dataset whose files the stack may not read is not refused",
        "tests/unit/test_datasets.py::test_a_dataset_outside_of_the_stacks_prefix_is_refused",
        "functions/loader/datasets.py",
        "if not prefix.startswith(data_prefix):",
        "if not prefix:",
    ),
    mutant(
        "two contracts may take the same files",
        "tests/contracts/test_together.py::test_two_datasets_with_the_same_files",
        "contracts/together.py",
        "if other.prefix.startswith(one.prefix) and same:",
        "if other.prefix == one.prefix and not same:",
    ),
    mutant(
        "a built tree is seen before it is whole",
        "tests/contracts/test_build.py::test_a_build_that_fails_leaves_nothing",
        "contracts/build.py",
        'build(tree / "sql", temporary / "sql")',
        'build(tree / "sql", made)',
    ),
    mutant(
        "a file of the manifest need not be there",
        "test_an_object_that_is_deleted_before_copy_is_missing_and_the_others_are_loaded",
        "functions/loader/copying.py",
        '"mandatory": True',
        '"mandatory": False',
    ),
    mutant(
        "a file is recorded as it was planned, not as it was read",
        "test_an_object_that_is_replaced_before_copy_is_recorded_as_it_was_read",
        "functions/stage.py",
        """etag = str(etag or "").strip('"') or file.etag""",
        "etag = file.etag",
    ),
    mutant(
        "a file is rejected for what another version of it was",
        "test_a_good_version_is_loaded_although_a_bad_one_was_read_in_its_place",
        "functions/find_bad_files.py",
        "if head.file and head.file.etag != reject.file.etag",
        "if head.file and not head.file.etag",
    ),
    mutant(
        "a wrong JSONPaths file rejects good files",
        f"{BAD_FILES}::test_a_wrong_jsonpaths_file_rejects_no_file",
        "functions/find_bad_files.py",
        'proved = well >= len(rejects) or bool(state.get("good"))',
        "proved = True",
    ),
    mutant(
        "a file that waits is in no ledger",
        f"{BAD_FILES}::test_the_first_file_of_all_waits_if_it_fails",
        "functions/stage.py",
        "for reject in (*part.rejects, *part.held)",
        "for reject in part.rejects",
    ),
    mutant(
        "a file that waits leaves a row at every sweep",
        f"{BAD_FILES}::test_the_first_file_of_all_waits_if_it_fails",
        f"{PUBLISH}/tried_again.sql",
        "files.status IN ('unreadable', 'waiting')",
        "files.status IN ('none')",
    ),
    mutant(
        "a file that may not be read is rejected",
        f"{BAD_FILES}::test_an_object_that_may_not_be_read_is_tried_again_by_the_sweep",
        "functions/find_bad_files.py",
        'f"COPY may not read the object: {error}", status="unreadable"',
        'f"COPY may not read the object: {error}"',
    ),
    mutant(
        "what a load left is forgotten by the sweep",
        f"{BAD_FILES}::test_an_object_that_may_not_be_read_is_tried_again_by_the_sweep",
        "functions/sweep.py",
        "    files += retries.pending(store, known, bucket, dealt_with, now.isoformat())\n",
        "",
    ),
    mutant(
        "an empty id is an id",
        f"{BAD_FILES}::test_empty_and_blank_ids_are_none",
        "sql/datasets/song_data/checks/staged/song_key_complete.sql",
        "COALESCE(TRIM(song_id), '') = ''",
        "song_id IS NULL",
    ),
    mutant(
        "checks on what was staged are not heeded",
        "test_every_kind_of_bad_file_is_rejected_and_the_good_ones_are_loaded",
        "functions/stage.py",
        "failed = [check for check in checks if not check.passed]",
        "failed: list[CheckResult] = []",
    ),
    mutant(
        "files that were loaded meanwhile are not left out",
        SAME_FILE_AT_ONCE,
        "functions/leave_out_loaded.py",
        "tuple(compress(batch.files, is_new))",
        "tuple(batch.files)",
    ),
    mutant(
        "withdrawn files are planned again",
        WITHDRAWN,
        "sql/plan/compare.sql",
        "f.status = 'withdrawn' AND",
        "f.status = 'none' AND",
    ),
    mutant(
        "withdrawn files are not planned although they are named",
        WITHDRAWN,
        "sql/plan/compare.sql",
        "(f.status = 'withdrawn' AND ${named} = 0)",
        "(f.status = 'withdrawn')",
    ),
    mutant(
        "an execution forgets the files beyond its batches",
        "test_more_files_than_an_execution_holds_are_loaded_by_others",
        "functions/plan.py",
        '        "rest": following,',
        '        "rest": "",',
    ),
    mutant(
        "a dry run loads",
        "test_a_dry_run_says_what_it_would_do_and_changes_nothing",
        "functions/plan.py",
        '"dry_run": request.dry_run,\n        "named"',
        '"dry_run": False,\n        "named"',
    ),
    mutant(
        "a reload leaves the plays that are there",
        RELOAD,
        f"{DATASETS}/log_data/reload/06_songplays.sql",
        "songplays.user_id = p.user_id",
        "1 = 0 AND songplays.user_id = p.user_id",
    ),
    mutant(
        "a reload claims files that are loaded",
        "test_undo_of_a_reload_is_refused_if_another_file_has_its_rows_too",
        f"{PUBLISH}/replaced.sql",
        "SET status = 'replaced'",
        "SET status = 'loaded'",
    ),
    mutant(
        "what a reload takes over is not noted",
        "test_undo_of_a_reload_is_refused_if_another_file_has_its_rows_too",
        f"{DATASETS}/log_data/reload/06_songplays.sql",
        "WHERE\n    x.load_id IS NULL\n    AND t.load_id IN (",
        "WHERE\n    1 = 0\n    AND t.load_id IN (",
    ),
    mutant(
        "what a reload takes over of what others say of a user is not noted",
        "test_undo_of_a_reload_is_refused_if_it_took_what_other_files_say_of_a_user",
        f"{DATASETS}/log_data/reload/06_songplays.sql",
        "WHERE v.load_id <> '${load_id}'",
        "WHERE v.load_id <> '${load_id}' AND 1 = 0",
    ),
    mutant(
        "a reload leaves what its files have said of a user",
        "test_undo_of_a_reload_takes_its_files_out",
        f"{DATASETS}/log_data/reload/07_users.sql",
        "user_versions.user_id = p.user_id",
        "1 = 0 AND user_versions.user_id = p.user_id",
    ),
    mutant(
        "a reload leaves the plays that were kept aside",
        "test_undo_of_a_reload_puts_back_no_play_of_a_file_that_it_replaced",
        f"{DATASETS}/log_data/reload/06_songplays.sql",
        "songplay_versions.user_id = p.user_id",
        "1 = 0 AND songplay_versions.user_id = p.user_id",
    ),
    mutant(
        "what was said of a file last hides that it is loaded",
        "test_a_file_that_is_loaded_stays_so_when_its_object_is_gone",
        "sql/migrations/ledger.sql",
        "CASE WHEN f.status = 'loaded' THEN 0 ELSE 1 END ASC,",
        "",
    ),
    # -- faults ----------------------------------------------------------------------------
    mutant(
        "each call has a ClientToken of its own",
        "test_a_lost_answer_runs_nothing_twice",
        "functions/loader/dataapi.py",
        'token = f"{load_id}.{step}.{batch}.{attempt}"',
        'token = f"{load_id}.{step}.{batch}.{attempt}.{time.time()}"',
    ),
    mutant(
        "another attempt has the token of the one before",
        "test_a_conflict_is_tried_again_and_not_reported",
        "functions/loader/dataapi.py",
        'token = f"{load_id}.{step}.{batch}.{attempt}"',
        'token = f"{load_id}.{step}.{batch}"',
    ),
    mutant(
        "a conflict is reported, not tried again",
        "test_a_conflict_is_tried_again_and_not_reported",
        "functions/publish.py",
        "case Kind.LOST | Kind.AGAIN | Kind.TRY_AGAIN if",
        "case Kind.LOST | Kind.AGAIN if",
    ),
    mutant(
        "the time behind the LOCK counts",
        "tests/unit/test_publish.py::test_waiting_for_the_lock_is_not_the_statements_time",
        "functions/publish.py",
        "behind_lock=True",
        "behind_lock=False",
    ),
    mutant(
        "publish is not called again when its function was ended",
        "test_a_lost_answer_runs_nothing_twice",
        MACHINE,
        '"TemplateError",',
        '"TemplateError", "Runtime.ExitError",',
        after='"FunctionName": "${PublishFunction}"',
    ),
    mutant(
        "a claim that fails fails the batch",
        SAME_FILE_AT_ONCE,
        MACHINE,
        """$states.input.outcome = 'loaded meanwhile'""",
        """$states.input.outcome = 'never'""",
    ),
    mutant(
        "a batch that fails ends the load",
        "test_a_batch_that_fails_does_not_stop_the_others",
        MACHINE,
        '"Type": "Pass"',
        '"Type": "Fail"',
        after='"Batch not loaded": {',
    ),
    mutant(
        "the sweep's mark moves although its load failed",
        "test_what_a_failed_sweep_saw_is_the_next_ones",
        "functions/finish.py",
        'elif load.get("mark") and not failed:',
        'elif load.get("mark"):',
    ),
    mutant(
        "a ledger that went back is not noticed",
        f"{GOES_BACK}::test_a_dry_run_tells_of_it_too",
        "functions/loader/sweep_mark.py",
        'if found["before"] < marked["loads"]:',
        'if found["before"] < 0:',
    ),
    mutant(
        "a load's own batches make up for those that a restore has taken",
        f"{GOES_BACK}::test_a_load_of_many_batches_does_not_hide_what_was_lost",
        "sql/plan/ledger.sql",
        "WHERE load_id <> '${load_id}' OR batch <> '${batch}'",
        "WHERE load_id <> 'x'",
    ),
    mutant(
        "the mark of another schema is taken for this one's",
        f"{GOES_BACK}::test_another_schema_and_back",
        "functions/loader/sweep_mark.py",
        'if document["place"].get(name) != value',
        'if name != "schema" and document["place"].get(name) != value',
    ),
    mutant(
        "a quiet ledger is never looked at",
        f"{GOES_BACK}::test_without_any_load_it_is_seen_within_a_day",
        "functions/sweep.py",
        "is_due = bool(marked)",
        "is_due = False",
    ),
    mutant(
        "a redo leaves out what was withdrawn",
        f"{GOES_BACK}::test_an_undone_load_is_loaded_again",
        "functions/loader/request.py",
        "redo=load_id, named=True",
        "redo=load_id, named=False",
    ),
    mutant(
        "a failed load is no longer marked as open",
        "test_the_sweep_ends_what_a_failed_load_left_running",
        "functions/finish.py",
        "if marked and ended_well else []",
        "if marked else []",
    ),
    mutant(
        "the sweep's load is not told of loads that never cleaned up",
        "test_the_sweep_ends_what_a_failed_load_left_running",
        "functions/sweep.py",
        '"ended": ended[:MAX_ENDED]',
        '"ended": []',
    ),
    mutant(
        "the sweep's load ends what others left when it has published, not before",
        "test_a_stopped_load_that_hangs_does_not_block_the_others",
        "functions/plan.py",
        'the number of its files into the load."""\n    cancel_leftovers(request)\n',
        'the number of its files into the load."""\n',
    ),
    mutant(
        "an undo is not marked as open",
        "test_a_stopped_undo_that_hangs_does_not_block_the_others",
        "functions/plan.py",
        'if request.mode in ("reset", "undo"):',
        'if request.mode == "reset":',
    ),
    mutant(
        "a clean-up that still runs counts as done",
        "tests/unit/test_finish.py::test_a_load_is_closed_once_its_tables_are_gone",
        "functions/finish.py",
        "gone = gone and ended and",
        "gone = gone and",
    ),
    mutant(
        "the preflight leaves the tables of a batch that it cancelled",
        "tests/unit/test_preflight.py::test_the_staging_tables_of_a_batch_that_hangs_are_dropped",
        "functions/preflight.py",
        "for each in filter(explain.is_teardown, steps):",
        "for each in ():",
    ),
    mutant(
        "each path of a column is judged alone",
        "tests/unit/test_drift.py::test_a_column_with_several_paths_is_empty_only_if_none_is_filled",
        "functions/loader/drift.py",
        '_OTHER_PATH.sub("", landed)',
        "landed",
    ),
    mutant(
        "staging tables stay",
        "test_the_same_file_is_loaded_once_however_often_it_is_asked_for",
        "functions/finish.py",
        "for number in range(0, len(tables), DROPPED_AT_ONCE):",
        "for number in range(0, 0, DROPPED_AT_ONCE):",
    ),
    # -- undo ------------------------------------------------------------------------------
    of_edits(
        "undo does not LOCK, and does not update the lock's row",
        "test_undo_and_a_load_at_once",
        Edit(f"{UNDO}/begin.sql", LOCK, ""),
        Edit(f"{UNDO}/begin.sql", UPDATE, ""),
        Edit(f"{UNDO}/begin.sql", "WHEN k.held <> 1 THEN", "WHEN k.held < 0 THEN"),
    ),
    of_edits(
        "undo does not update the lock's row, and LOCK takes the snapshot",
        "test_undo_and_a_load_at_once[lock-snapshot]",
        Edit(f"{UNDO}/begin.sql", UPDATE, ""),
        Edit(f"{UNDO}/begin.sql", "WHEN k.held <> 1 THEN", "WHEN k.held < 0 THEN"),
    ),
    mutant(
        "undo does not compare the number of batches",
        "test_undo_takes_a_batch_too_that_is_published_when_it_has_looked",
        f"{UNDO}/begin.sql",
        "WHEN b.batches <> ${batch_count} THEN",
        "WHEN b.batches < 0 THEN",
    ),
    mutant(
        "an undo is not bounded by the load's range",
        "benchmarks/test_benchmarks.py::test_only_songs_read_the_fact_without_a_range",
        f"{DATASETS}/log_data/undo/10_songplays.sql",
        "AND start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'",
        "",
        after="DELETE FROM ${schema}.songplays\nWHERE",
    ),
    mutant(
        "undo has the range of the last dataset only",
        f"{SECOND}::test_undo_of_a_load_of_two_datasets_takes_the_rows_of_both",
        "functions/undo.py",
        "times += [",
        "times = [",
    ),
    mutant(
        "undo does not look for loads that depend on it",
        "test_undo_of_a_load_that_others_depend_on_is_refused",
        "functions/undo.py",
        "    if later:",
        "    if not later and later:",
    ),
    mutant(
        "undo's transaction does not look for loads that depend on it",
        "test_undo_is_refused_if_a_load_that_depends_on_it_is_published_meanwhile",
        f"{UNDO}/begin.sql",
        "WHERE o.of_load_id = '${undone_load}' AND",
        "WHERE o.of_load_id = '${undone_load}' AND 1 = 0 AND",
    ),
    mutant(
        "what a load leaves out is not noted",
        "test_undo_of_a_load_that_others_depend_on_is_refused",
        f"{DATASETS}/log_data/publish/50_left_out.sql",
        "WHERE d.left_rows > 0",
        "WHERE d.left_rows < 0",
    ),
    mutant(
        "undo does not put replaced plays back",
        PUT_BACK,
        f"{DATASETS}/log_data/undo/10_songplays.sql",
        "WHERE w.place = 1",
        "WHERE w.place = 0",
    ),
    mutant(
        "undo does not put replaced users back",
        PUT_BACK,
        f"{DATASETS}/log_data/undo/20_users.sql",
        "WHERE w.place = 1",
        "WHERE w.place = 0",
    ),
    mutant(
        "undo does not put replaced songs back",
        PUT_BACK,
        f"{DATASETS}/song_data/undo/10_songs.sql",
        "WHERE w.place = 1",
        "WHERE w.place = 0",
    ),
    mutant(
        "undo leaves artists out",
        PUT_BACK,
        f"{DATASETS}/song_data/undo/20_artists.sql",
        "w.place = 1",
        "w.place = 0",
    ),
    mutant(
        "undo leaves plays without the song that is now theirs",
        PUT_BACK,
        "functions/loader/statements.py",
        'sql.files(f"datasets/{dataset}/undo", f"datasets/{dataset}/publish_and_undo")',
        'sql.files(f"datasets/{dataset}/undo")',
    ),
    mutant(
        "undo withdraws no file",
        "test_undo_of_a_load_that_others_depend_on_is_refused",
        f"{UNDO}/end.sql",
        "SET status = 'withdrawn'",
        "SET status = 'loaded'",
    ),
    mutant(
        "a reload of a dataset without a key doubles its rows",
        f"{SECOND}::test_a_reload_is_refused_by_name_and_changes_nothing",
        "functions/loader/listing.py",
        "if not dataset.can_reload:",
        "if False:",
    ),
    mutant(
        "undo leaves the checks of a dataset out",
        f"{SECOND}::test_undo_of_a_load_of_two_datasets_takes_the_rows_of_both",
        "functions/loader/statements.py",
        'sql.files("checks/undone", f"datasets/{dataset}/checks/undone")',
        'sql.files("checks/undone", "datasets/log_data/checks/undone")',
    ),
    mutant(
        "reset leaves the tables of the datasets",
        f"{SECOND}::test_reset_drops_and_makes_its_tables_too",
        "functions/loader/statements.py",
        '"tables": sql.Fragment(", ".join(tables))',
        '"tables": sql.Fragment(", ".join(tables[:8]))',
    ),
    mutant(
        "the sweep forgets the old files of a new dataset",
        f"{SECOND}::test_the_sweep_finds_files_that_were_there_before_the_dataset",
        "functions/sweep.py",
        "if swept.get(name) == scope(dataset) else BEGINNING",
        "if True else BEGINNING",
    ),
    mutant(
        "columns of another order are loaded by the usual order",
        f"{HEADERS}::test_copy_gets_the_list_in_the_headers_order_from_the_datasets_own_words",
        "functions/stage.py",
        "reported=reported, columns=batch.columns or ())",
        "reported=reported, columns=())",
    ),
    mutant(
        "files of two orders are one batch",
        f"{HEADERS}::test_files_of_two_orders_are_two_parts",
        "functions/stage.py",
        "if len(found) == 1:",
        "if found:",
    ),
    mutant(
        "a file without its header loses its first row",
        f"{HEADERS}::test_only_bad_headers_send_nothing",
        "functions/stage.py",
        "if dataset.header and batch.columns is None and batch.readable:",
        "if False:",
    ),
    mutant(
        "a file that was replaced after its header was read is loaded by the old header",
        f"{HEADERS}::test_a_file_that_was_replaced_after_its_header_was_read_is_staged_again",
        "functions/stage.py",
        "again = bool(dataset.header) and",
        "again = False and",
    ),
    mutant(
        "a header of which COPY says nothing fails the batch",
        f"{SECOND}::test_copys_account_of_a_batch_of_files_with_headers",
        "sql/checks/published/rows_by_file.sql",
        "CASE WHEN f.lines > 0 THEN CAST(${header_lines} AS BIGINT) ELSE 0 END",
        "0",
    ),
    mutant(
        "rows that nobody accounts for are published",
        f"{SECOND}::test_copys_account_of_a_batch_of_files_with_headers",
        "sql/checks/published/rows_by_file.sql",
        "ELSE 0\n    END AS expected",
        "ELSE u.unreported\n    END AS expected",
    ),
    mutant(
        "a file that COPY does not report blocks the batch",
        "test_a_file_that_copy_does_not_report_is_a_figure_and_fails_nothing",
        "sql/checks/published/rows_by_file.sql",
        "WHEN CAST(${rows_copied} AS BIGINT) = CAST(${rows_staged} AS BIGINT) THEN u.unreported",
        "WHEN 1 = 0 THEN u.unreported",
    ),
    mutant(
        "rows that COPY did not load are published",
        "test_rows_that_copy_did_not_load_fail_the_load",
        "sql/checks/published/rows_copied.sql",
        "COALESCE(CAST(${rows_copied} AS BIGINT), CAST(${rows_staged} AS BIGINT)) AS expected",
        "COUNT(*) AS expected",
    ),
    mutant(
        "what COPY reports late is not waited for",
        "test_what_copy_reports_late_is_waited_for",
        "functions/stage.py",
        "for number in polls(REPORT_SECONDS):",
        "for number in [0]:",
    ),
    mutant(
        "a report that cannot be read stops the batch",
        f"{STAGE}::test_a_report_that_cannot_be_read_stops_no_batch",
        "functions/stage.py",
        "except (StatementFailed, TimeoutError) as error:",
        "except ZeroDivisionError as error:",
    ),
    mutant(
        "a report that cannot be read in the transaction stops the batch",
        f"{STAGE}::test_a_staging_that_fails_on_the_report_is_done_without_it",
        "functions/stage.py",
        'if is_report and end.kind is not Kind.TRY_AGAIN and not state.get("unreadable"):',
        "if is_report and not part:",
    ),
    mutant(
        "a name that Redshift encodes is nobody's",
        "test_names_that_redshift_encodes_are_told_apart",
        "functions/loader/batches.py",
        "found = names.get(name) or names.get(plain) or urls.get(plain)",
        "found = names.get(name)",
    ),
    mutant(
        "files whose encoded names are alike share a batch",
        f"{BATCHES}::test_files_whose_reports_could_be_taken_for_each_others_are_apart",
        "functions/loader/batches.py",
        "return {name, unquote(name)}",
        "return {name}",
    ),
    mutant(
        "a COPY that was cancelled rejects a file",
        f"{INTERRUPTED}::test_an_interruption_rejects_no_file[of_one_file-cancelled by a person]",
        "functions/loader/failures.py",
        "cancell?ed (on user'?s request|by )|",
        "",
    ),
    mutant(
        "a bucket that throttles COPY rejects a file",
        "test_an_interruption_however_often_rejects_no_file",
        "functions/loader/failures.py",
        "slow ?down|reduce your request rate|status 50[0234]\\b|",
        "",
    ),
    mutant(
        "an interrupted look for bad files is not made again",
        f"{FIND}::test_an_interruption_rejects_no_file",
        "functions/find_bad_files.py",
        "return interrupted(state, error, looking=True)",
        "pass",
    ),
    mutant(
        "error rows of an interruption reject their files",
        f"{FIND}::test_error_rows_of_an_interruption_judge_no_file",
        "functions/find_bad_files.py",
        "if is_interruption(str(message)):",
        "if False:",
    ),
    mutant(
        "what Redshift refuses is tried again",
        f"{FAILURES}::test_what_others_have_seen[a correlated subquery that Redshift refuses]",
        "functions/loader/failures.py",
        "(?<!due to )(?<!due to an )internal error",
        "internal error",
    ),
    mutant(
        "a file's name is taken for an interruption",
        f"{FAILURES}::test_an_interruption_in_a_files_name_is_none",
        "functions/loader/failures.py",
        'return error.partition("s3://")[0]',
        "return error",
    ),
    mutant(
        "an upgrade forgets what was known of users",
        f"{UPGRADE}::test_undo_of_a_load_of_this_version_gives_back_what_that_version_had",
        "sql/migrations/002_undo.sql",
        "FROM ${schema}.users;",
        "FROM ${schema}.users WHERE 1 = 0;",
    ),
    mutant(
        "a load from before undo is undone",
        f"{UPGRADE}::test_undo_of_a_load_of_that_version_is_refused_with_the_reason",
        "sql/undo/look.sql",
        "WHERE v.version >= 2",
        "WHERE v.version >= 1",
    ),
    mutant(
        "an undo that meets an older version's tables fails",
        f"{UPGRADE}::test_undo_of_a_load_of_a_version_that_could_undo",
        "functions/undo.py",
        "or is_older(str(error))) and attempt < 2:",
        "or is_older(str(error))) and attempt < 0:",
    ),
    mutant(
        "an undo whose transaction meets missing tables fails",
        "tests/unit/test_undo.py::test_tables_that_are_dropped_after_the_look_are_made_first",
        "functions/undo.py",
        "case Kind.NO_TABLES if attempt < 2:",
        "case Kind.NO_TABLES if attempt < 0:",
    ),
    mutant(
        "staging tables of the schema of older versions are not found",
        f"{UPGRADE}::test_staging_tables_that_were_left_in_the_old_schema_are_found_and_dropped",
        "sql/stage/leftovers.sql",
        "('${schema}', '${loader_schema}')",
        "('${loader_schema}')",
    ),
    mutant(
        "staging tables of the schema of older versions are not dropped",
        f"{UPGRADE}::test_staging_tables_that_were_left_in_the_old_schema_are_found_and_dropped",
        "sql/stage/drop.sql",
        ", ${schema}.${stage_table}",
        "",
    ),
    mutant(
        "an upgrade leaves the lock without a row",
        f"{UPGRADE}::test_the_next_load_upgrades_and_keeps_what_is_there",
        "sql/migrations/loader_tables.sql",
        "WHERE k.holders = 0",
        "WHERE k.holders = 1",
    ),
    mutant(
        "rows without a key of an earlier attempt stay",
        f"{SECOND}::test_publishing_twice_changes_nothing",
        f"{PAGE}/ratings/again/ratings.sql",
        "load_id = '${load_id}'",
        "1 = 0 AND load_id = '${load_id}'",
    ),
    mutant(
        "undo of one dataset withdraws the files of all",
        f"{MANY}::test_an_undo_that_was_stopped_is_gone_on_with",
        f"{UNDO}/end.sql",
        "AND dataset = '${dataset}' AND status = 'loaded'",
        "AND status = 'loaded'",
    ),
    mutant(
        "an undo that is asked for again begins with the first dataset",
        "tests/unit/test_undo.py::test_asked_again_it_goes_on_with_what_is_left",
        "functions/undo.py",
        'if name in undone or "" in undone',
        'if "" in undone',
    ),
    mutant(
        "a load of which one dataset is undone goes on publishing",
        f"{MANY}::test_a_load_of_which_one_dataset_is_undone_publishes_nothing_more",
        f"{PUBLISH}/claim.sql",
        "FROM ${schema}.undone\n    WHERE load_id = '${load_id}'",
        "FROM ${schema}.undone\n    WHERE load_id = '${load_id}' AND dataset = '${dataset}'",
    ),
    mutant(
        "a table that held rows is made empty",
        "tests/unit/test_migrate.py::test_a_table_that_held_rows_is_not_made_empty",
        "functions/loader/tables.py",
        "if loaded.get(dataset)\n",
        "if not loaded\n",
    ),
    mutant(
        "a dataset that lost a table holds up the others",
        "tests/unit/test_migrate.py::test_a_dataset_that_lost_a_table_holds_up_no_other",
        "functions/loader/tables.py",
        "    missing = {name: absent for",
        "    raise_for_lost(lost)\n    missing = {name: absent for",
    ),
    mutant(
        "what would lose data of a contract is done as far as it goes",
        f"{CHANGE}::test_what_would_lose_data_is_refused",
        "functions/loader/tables.py",
        "            if todo.refused:\n",
        "            if not todo:\n",
    ),
    mutant(
        "a dataset whose contract is refused holds up the others",
        f"{CHANGE}::test_a_dataset_that_is_refused_holds_up_no_other",
        "functions/migrate.py",
        'if cause := brought.refused.get(batch.get("dataset", "")):',
        'if cause := " ".join(brought.refused.values()):',
    ),
    mutant(
        "a change that Redshift refuses holds up the other datasets",
        f"{CHANGE}::test_a_change_that_redshift_refuses_holds_up_no_other_dataset",
        "functions/loader/tables.py",
        "brought.refused[name] = said",
        "raise",
    ),
    mutant(
        "an earlier contract is refused",
        f"{CHANGE}::test_going_back_to_an_earlier_contract_loads",
        "functions/loader/contract_tables.py",
        "back = self.digest in was.before",
        "back = False",
    ),
    mutant(
        "a table of somebody else is taken for the contract's",
        f"{CHANGE}::test_a_table_of_somebody_else_is_left_alone",
        "functions/loader/contract_tables.py",
        "if self.found.get(table, kinds) != kinds:",
        "if self.found.get(table, kinds) != self.found.get(table, kinds):",
    ),
    mutant(
        "a view of somebody else is replaced",
        f"{CHANGE}::test_a_view_of_somebody_else_is_left_alone",
        "functions/loader/contract_tables.py",
        'if view and "valid_from" not in view:',
        'if view and "seven" not in view:',
    ),
    mutant(
        "a load does not ask which contract the tables have",
        f"{CHANGE}::test_what_would_lose_data_is_refused",
        "functions/stage.py",
        "if dataset.contract and contracts.get(max(contracts, default=0)) != dataset.contract:",
        "if not dataset and contracts:",
    ),
    mutant(
        "files are blamed for tables of an older contract",
        f"{CHANGE}::test_the_next_load_brings_the_tables_to_the_contract",
        "functions/stage.py",
        'if may_be_older and is_behind(load, dataset, f"stage.{batch}.{attempt}"):',
        "if may_be_older and not dataset:",
    ),
    mutant(
        "what was staged for another contract is published",
        "tests/unit/test_publish.py::test_what_was_staged_for_another_contract_is_staged_again",
        "functions/publish.py",
        "if was_staged_for != dataset.contract and not",
        "if not dataset and not",
    ),
    mutant(
        "an undo does not ask which contract the tables have",
        f"{CHANGE}::test_what_would_lose_data_is_refused",
        "functions/undo.py",
        'any(todo["dataset"] in old for todo in found["todo"])',
        "not found",
    ),
    mutant(
        "rows from before the first table of an array are not found by a reload",
        f"{CHANGE}::test_the_next_load_brings_the_tables_to_the_contract",
        "contracts/generate/tables.py",
        '"BIGINT DEFAULT 0 NOT NULL"',
        '"BIGINT"',
    ),
    # -- masks and unknown keys ------------------------------------------------------------
    mutant(
        "a masked value has a hash without the key",
        f"{MASKING}::test_equal_values_have_equal_hashes_in_all_columns_and_datasets",
        "contracts/generate/masking.py",
        'return f"SHA2({KEY} || SHA2({KEY} || {text}, 256), 256)"',
        'return f"SHA2({text}, 256)"',
    ),
    mutant(
        "a dropped column is stored",
        f"{MASKING}::test_no_value_is_seen_anywhere",
        "contracts/model.py",
        'return tuple(column for column in self.columns if column.mask != "drop")',
        "return self.columns",
        after="class Child:",
    ),
    mutant(
        "the hash of a masked array can be guessed",
        f"{MASKING}::test_a_mask_afterwards_is_as_a_mask_before[at once]",
        "contracts/generate/staging.py",
        "hashed=shape.hashed if masking.masks_arrays(shape) else (),",
        "hashed=(),",
    ),
    mutant(
        "COPY's message quotes a value of a masked dataset",
        f"{MASKING}::test_no_value_is_seen_anywhere",
        "functions/find_bad_files.py",
        "if dataset.masks else str(message)",
        "if False else str(message)",
    ),
    mutant(
        "a bad line of a masked dataset is shown",
        f"{MASKING}::test_no_value_is_seen_anywhere",
        "functions/find_bad_files.py",
        "settings().show_bad_lines and not dataset.masks",
        "settings().show_bad_lines",
    ),
    of_edits(
        "the key of masked columns stays in the work bucket",
        f"{MASKING}::test_the_key_is_in_the_loaders_schema_and_nowhere_else",
        Edit("functions/loader/masking.py", "        store.delete(key)\n", "        pass\n"),
        Edit("functions/loader/masking.py", "        store.delete(left)", "        pass"),
    ),
    mutant(
        "rows of a masked dataset are lost with its key",
        f"{MASKING}::test_a_lost_key_is_not_made_again[missing]",
        "contracts/generate/masking.py",
        "CASE WHEN f.found = 1 THEN",
        "CASE WHEN f.found < 9 THEN",
    ),
    of_edits(
        "a lost key is made again",
        f"{MASKING}::test_a_lost_key_is_not_made_again[missing]",
        Edit(
            "functions/loader/masking.py",
            "if found != (0, 0, 0) and found[:2] != (1, 0):",
            "if found == (1, 1, 1):",
        ),
        Edit(
            "sql/migrations/mask_key.sql",
            "WHERE k.there = 0 AND m.fingerprints = 0;",
            "WHERE k.there = 0;",
        ),
        Edit(
            "sql/migrations/mask_key.sql", "WHERE m.fingerprints = 0;", "WHERE m.fingerprints < 9;"
        ),
    ),
    mutant(
        "of two loads at once, both mask what is there",
        f"{MASKING}::test_two_loads_at_once_mask_once",
        "sql/migrations/same_contract.sql",
        "CASE WHEN s.same = 1 THEN '0' ELSE",
        "CASE WHEN s.same < 9 THEN '0' ELSE",
    ),
    mutant(
        "a file is published before all of its records are read",
        f"{UNKNOWN}::test_reading_that_takes_many_calls_publishes_once_all_is_read",
        "functions/stage.py",
        "if not complete:",
        "if False:",
    ),
    mutant(
        "unknown keys are looked for in the first elements of an array",
        f"{UNKNOWN}::test_every_record_is_read_and_only_the_file_with_the_key_is_rejected",
        "functions/loader/unmapped.py",
        "for inner in value:",
        "for inner in value[:20]:",
    ),
    mutant(
        "an unknown column is loaded although the contract rejects it",
        f"{UNKNOWN}::test_an_unknown_column_of_csv_is_rejected_if_the_contract_says_so",
        "contracts/generate/landing.py",
        'takes = by_position and contract.unknown == "report"',
        "takes = by_position",
    ),
    mutant(
        "a value of an unknown column is loaded into the next one",
        f"{UNKNOWN}::test_an_unknown_column_of_csv_is_staged_and_told",
        "functions/loader/headers.py",
        "return tuple(columns.get(name) or next(extra) for name in names)",
        "return tuple(columns[name] for name in names if name in columns)",
    ),
    mutant(
        "rows whose values do not fit are published",
        f"{BAD_ROWS}::test_each_file_is_loaded_without_its_bad_rows_or_rejected",
        "contracts/generate/staging.py",
        "WHERE {table}.row_no = b.row_no;",
        "WHERE {table}.row_no = b.row_no AND 1 = 0;",
    ),
    mutant(
        "a file with more bad rows than its limit is loaded",
        f"{BAD_ROWS}::test_each_file_is_loaded_without_its_bad_rows_or_rejected",
        "functions/loader/bad_rows.py",
        "if bad > limit.of(records):",
        "if False:",
    ),
    mutant(
        "a limit in percent is not looked at",
        f"{BAD_ROWS}::test_the_smaller_of_rows_and_percent",
        "functions/loader/rules.py",
        "share = inf if self.percent is None else int(records * self.percent / 100)",
        "share = inf",
    ),
    mutant(
        "a COPY that fails at its errors rejects files within their limit",
        f"{BAD_ROWS}::test_of_a_copy_that_has_too_many_errors_the_file_with_too_many_is_rejected",
        "functions/find_bad_files.py",
        "if errors <= limit.of(records):",
        "if False:",
    ),
    mutant(
        "errors of COPY that are not reported yet are not waited for",
        f"{BAD_ROWS}::test_errors_that_are_reported_late_are_waited_for",
        "functions/loader/bad_rows.py",
        "for number in polls(REPORT_SECONDS):",
        "for number in (0,):",
    ),
    mutant(
        "errors of COPY that are not reported are none",
        f"{BAD_ROWS}::test_errors_that_are_never_reported_publish_nothing",
        "functions/loader/bad_rows.py",
        "    if isinstance(refused, str):\n        return Judged(cause=refused)",
        "    if isinstance(refused, str):\n        refused = {}",
    ),
    mutant(
        "rejected rows are loaded in a transaction of their own, and are not there",
        f"{BAD_ROWS}::test_each_file_is_loaded_without_its_bad_rows_or_rejected",
        "functions/loader/statements.py",
        "    if rows_rejected:\n",
        "    if False:\n",
    ),
    mutant(
        "rejected rows of an earlier attempt stay",
        f"{BAD_ROWS}::test_a_publish_whose_answer_is_lost",
        "sql/publish/again.sql",
        "\n\nDELETE FROM ${schema}.rejected_rows\nWHERE load_id = '${load_id}' AND batch = '${batch}';",
        "",
    ),
    mutant(
        "an undo leaves the rejected rows",
        f"{BAD_ROWS}::test_undo_redo_reload_and_duplicates",
        "sql/undo/end.sql",
        "DELETE FROM ${schema}.rejected_rows\nWHERE load_id = '${undone_load}' AND dataset = '${dataset}';",
        "",
    ),
    mutant(
        "a reload has the rejected rows of its file twice",
        f"{BAD_ROWS}::test_undo_redo_reload_and_duplicates",
        "sql/publish/replaced.sql",
        "AND rejected_rows.etag = r.etag;",
        "AND rejected_rows.etag = r.etag AND 1 = 0;",
    ),
    mutant(
        "a dataset with masked columns keeps the text of bad rows",
        f"{BAD_ROWS}::test_of_a_dataset_with_masked_columns_no_text_is_kept",
        "functions/loader/misfits.py",
        "keeps = rules is not None and not rules.masked and",
        "keeps = rules is not None and",
    ),
    mutant(
        "a row without the value that says which is the newest is no bad row",
        f"{BAD_ROWS}::test_each_file_is_loaded_without_its_bad_rows_or_rejected",
        "contracts/generate/staging.py",
        'bad = " OR ".join(["t.misfits <> \'\'", *(condition for _, condition in _incomplete(shape))])',
        "bad = \"t.misfits <> ''\"",
    ),
    # -- contracts -------------------------------------------------------------------------
    # The lax casts of SUPER values, and what COPY would change in silence.
    mutant(
        "a value inside of an array that does not fit becomes NULL",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[element-text]",
        f"{GENERATE}/staging.py",
        "FROM {shape.typed_child(child)}\\nWHERE misfits <> ''",
        "FROM {shape.typed_child(child)}\\nWHERE 1 = 0",
    ),
    mutant(
        "a value that does not fit becomes NULL",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[decimal-cut]",
        f"{GENERATE}/staging.py",
        "FROM {shape.typed}\\nWHERE misfits <> ''",
        "FROM {shape.typed}\\nWHERE 1 = 0",
    ),
    mutant(
        "an object where an array should be is no array and no misfit",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[object-for-array]",
        f"{GENERATE}/staging.py",
        "IS NOT NULL AND NOT IS_ARRAY(v.{array})",
        "IS NOT NULL AND 1 = 0",
    ),
    mutant(
        "a row without its key is no bad row",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[null-key]",
        f"{GENERATE}/staging.py",
        "WHERE {' OR '.join(condition for _, condition in _incomplete(shape))}",
        "WHERE 1 = 0",
    ),
    mutant(
        "digits after the point of a decimal are cut",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[decimal-cut]",
        f"{GENERATE}/values.py",
        'f"{said} = {cut}"',
        '"TRUE"',
    ),
    mutant(
        "digits after the point of a decimal in an array are cut or rounded",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[element-cut]",
        f"{GENERATE}/values.py",
        "([.][0-9]{{0,{kind.scale}}}0*)?{less}",
        "([.][0-9]*)?{less}",
    ),
    mutant(
        "a number with a fraction is a whole number",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[element-fraction]",
        f"{GENERATE}/values.py",
        "([.]0+)?$",
        "([.][0-9]+)?$",
    ),
    mutant(
        "a time that is no ISO 8601 is taken for what it may mean",
        f"{CONTRACTS}::test_what_does_not_fit_is_rejected_and_the_rest_loads[time-short]",
        f"{GENERATE}/values.py",
        '_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"',
        '_DATE = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"',
    ),
    mutant(
        "the zone of a time is ignored",
        f"{CONTRACTS}::test_times_are_stored_in_utc",
        f"{GENERATE}/values.py",
        "{_try(moment, 'TIMESTAMPTZ')} AT TIME ZONE 'UTC'",
        "{_try(moment, 'TIMESTAMP')}",
    ),
    mutant(
        "a null of JSON in an array is the text null",
        "tests/contracts/test_generate.py::test_every_statement_is_taken_and_loads_reloads_and_undoes",
        f"{GENERATE}/values.py",
        "THEN NULLIF({serialized(value)}, 'null') END",
        "THEN {serialized(value)} END",
    ),
    mutant(
        "keys inside of arrays fold to lower case",
        f"{CONTRACTS}::test_elements_have_their_place_and_their_types",
        f"{GENERATE}/staging.py",
        "SET enable_case_sensitive_identifier TO true;",
        "SET enable_case_sensitive_identifier TO false;",
    ),
    mutant(
        "the position of an element begins at one",
        f"{CONTRACTS}::test_elements_have_their_place_and_their_types",
        f"{GENERATE}/staging.py",
        "position__ AS position",
        "position__ + 1 AS position",
    ),
    mutant(
        "of several paths the last counts",
        f"{CONTRACTS}::test_the_first_path_that_is_there_counts_and_a_long_text_is_cut",
        f"{GENERATE}/landing.py",
        "zip(shape.landing(column), column.paths, strict=True)",
        "zip(shape.landing(column), column.paths[::-1], strict=True)",
    ),
    mutant(
        "a text that is too long is rejected where it should be cut",
        f"{CONTRACTS}::test_the_first_path_that_is_there_counts_and_a_long_text_is_cut",
        f"{GENERATE}/values.py",
        "return LONGEST if column.truncate else kind",
        "return kind",
    ),
    # Which version of a key is the row.
    mutant(
        "the version that came last wins, not the newest",
        f"{CONTRACTS}::test_the_newest_version_wins_whenever_it_comes",
        f"{GENERATE}/keyed.py",
        'f"v.{one} DESC" for one in [shape.newest] if one',
        'f"v.{one} DESC" for one in ["load_id"]',
    ),
    mutant(
        "of equally new versions the one that came first wins",
        f"{CONTRACTS}::test_of_equally_new_versions_the_smaller_content_wins",
        f"{GENERATE}/tables.py",
        "if column.name in (*contract.key, contract.newest):",
        "if column.name:",
    ),
    mutant(
        "of versions that differ in an array only the one that came first wins",
        f"{CONTRACTS}::test_of_equally_new_versions_the_smaller_content_wins",
        f"{GENERATE}/tables.py",
        "for one in (*shape.hashed, *OF_LOAD, *shape.numbered)",
        "for one in (*OF_LOAD, *shape.numbered)",
    ),
    mutant(
        "a reloaded version has no rank before equally new ones",
        f"{CONTRACTS}::test_a_reloaded_version_wins_over_equally_new_ones_until_it_is_undone",
        f"{GENERATE}/tables.py",
        'parts = [f"{alias}.{RELOAD} DESC"]',
        "parts: list[str] = []",
    ),
    mutant(
        "the elements of a version stay when another one wins",
        f"{CONTRACTS}::test_the_newest_version_wins_whenever_it_comes",
        f"{GENERATE}/keyed.py",
        "        for one in tables\n",
        "        for one in tables[:1]\n",
    ),
    mutant(
        "a version that is deleted stays in the table",
        f"{CONTRACTS}::test_a_version_that_is_deleted_leaves_the_table_until_it_is_undone",
        f"{GENERATE}/keyed.py",
        "for column, values in contract.deleted\n    )\n    made",
        "for column, values in contract.deleted[:0]\n    )\n    made",
    ),
    mutant(
        "blanks at the end make another key",
        f"{CONTRACTS}::test_blanks_at_the_end_of_a_key_do_not_count",
        f"{GENERATE}/staging.py",
        'said = f"RTRIM({said})"',
        "pass",
    ),
    mutant(
        "no version of the history ends",
        f"{CONTRACTS}::test_the_history_has_the_time_in_which_each_version_was_the_newest",
        f"{GENERATE}/tables.py",
        "ORDER BY h.{shape.newest}) AS valid_to",
        "ORDER BY h.{shape.newest} DESC) AS valid_to",
    ),
    mutant(
        "an undo leaves the versions of the load",
        f"{CONTRACTS}::test_a_version_that_is_deleted_leaves_the_table_until_it_is_undone",
        f"{GENERATE}/keyed.py",
        "{table}\\nWHERE load_id = '${{undone_load}}';",
        "{table}\\nWHERE 1 = 0 AND load_id = '${{undone_load}}';",
    ),
    mutant(
        "the keys of an undone load are not decided again",
        f"{CONTRACTS}::test_a_version_that_is_deleted_leaves_the_table_until_it_is_undone",
        f"{GENERATE}/keyed.py",
        "WHERE v.load_id = '${{undone_load}}';",
        "WHERE 1 = 0 AND v.load_id = '${{undone_load}}';",
    ),
    # What the functions do with the files of a contract.
    mutant(
        "the statements between COPY and the audit are left out",
        f"{CONTRACTS}::test_the_newest_version_wins_whenever_it_comes",
        "functions/loader/statements.py",
        'sql.files(f"datasets/{dataset.name}/stage")',
        'sql.files(f"datasets/{dataset.name}/staged")',
    ),
    mutant(
        "the further staging tables of a batch stay",
        f"{CONTRACTS}::test_the_newest_version_wins_whenever_it_comes",
        "functions/loader/datasets.py",
        "for end in self.staged_tables}",
        "for end in self.staged_tables[:0]}",
    ),
    mutant(
        "a column that is a reserved word stands without quotes in the audit",
        "tests/contracts/test_generate.py::test_every_column_is_quoted_where_it_is_counted",
        "functions/loader/layout.py",
        """f'"{name}"' if name in self.quoted else name""",
        "name",
    ),
    # No text of a contract becomes SQL.
    mutant(
        "a quote in a check of a contract ends the text",
        "tests/contracts/test_generate.py::test_no_text_of_a_contract_becomes_sql",
        "contracts/conditions.py",
        """quoted = text.replace("'", "''")""",
        "quoted = text",
    ),
    mutant(
        "a quote in a key inside of an array ends the name",
        "tests/contracts/test_generate.py::test_no_text_of_a_contract_becomes_sql",
        f"{GENERATE}/values.py",
        """quoted = step.replace('"', '""')""",
        "quoted = step",
    ),
    mutant(
        "a placeholder in a check of a contract is filled in",
        "tests/contracts/test_generate.py::test_no_text_of_a_contract_becomes_sql",
        "contracts/conditions.py",
        """or "${" in text""",
        "",
    ),
    mutant(
        "of a field that is there twice the last counts",
        "tests/contracts/test_reading.py::test_it_is_refused_by_line_and_field",
        "contracts/document.py",
        "if key in made:",
        "if key in made and not made:",
    ),
    mutant(
        "as many rows as lines are taken to mean that COPY has refused none",
        f"{BAD_ROWS}::test_as_many_rows_as_lines_hide_no_refused_one",
        "functions/loader/bad_rows.py",
        "    if isinstance(refused, str):",
        "    if staged.rows == _scanned(staged, batch):\n        refused = {}\n    if isinstance(refused, str):",
    ),
    # The command: nothing leaves the laptop unasked, and no row of a stack goes without its name.
    mutant(
        "a command without --stack keeps the AWS settings of the shell",
        "tests/local/test_target.py::test_without_a_stack_no_request_leaves_this_machine",
        "local/client/target.py",
        "own = isolated(environ, ports(environ))",
        "own = dict(environ)",
    ),
    mutant(
        "the clients of the local AWS find their endpoints in the shell",
        "tests/local/test_target.py::test_the_local_target_has_fixed_endpoints",
        "local/client/target.py",
        "        if self.at is None:\n            return None\n",
        "        if not self.stack or self.at is None:\n            return None\n",
    ),
    mutant(
        "the rows of a stack are deleted without its name",
        "tests/local/test_rights.py::test_nothing_is_started_without_consent",
        "local/commands/start.py",
        "    if what := destroys(document):",
        "    if what := destroys({}):",
    ),
    mutant(
        "a quote in a key ends the text of a statement of the command",
        "tests/stateful/test_where.py::test_each_version_of_a_key_with_what_happened_to_it",
        "local/client/queries.py",
        """.replace("'", "''")""",
        "",
    ),
    mutant(
        "a ledger that may not be read is an empty one",
        "tests/local/test_rights.py::test_a_ledger_that_may_not_be_read_is_not_an_empty_one",
        "local/client/files.py",
        "        if error.nothing_there:\n            return set()",
        "        if error:\n            return set()",
    ),
    # -- Parquet -----------------------------------------------------------------------------
    mutant(
        "COPY takes the columns of Parquet in the contract's order",
        f"{PARQUET}::test_columns_in_another_order_and_two_schemas_in_one_upload",
        "functions/loader/headers.py",
        "return Header(file, columns, unknown=unknown)",
        "return Header(file, dataset.layout.columns, unknown=unknown)",
        after="def _of_fields(",
    ),
    mutant(
        "a Parquet file of another type is left to COPY",
        f"{PARQUET}::test_files_whose_schemas_do_not_go_are_rejected_before_copy",
        "functions/loader/headers.py",
        '    if wrong:\n        raise BadHeader(\n            f"COPY converts',
        '    if len(wrong) > 99:\n        raise BadHeader(\n            f"COPY converts',
    ),
    mutant(
        "nanoseconds of Parquet are taken for microseconds",
        "tests/unit/test_parquet.py::test_every_type",
        "functions/loader/parquet.py",
        "_NANOS = 3",
        "_NANOS = 9",
    ),
    mutant(
        "a Parquet file is not looked at for its end",
        "tests/unit/test_parquet.py::test_an_end_that_is_none",
        "functions/loader/parquet.py",
        "if magic != _MAGIC or size",
        "if size",
    ),
    mutant(
        "structs inside of each other are read to any depth",
        "tests/unit/test_parquet.py::test_hostile_bytes_are_no_parquet",
        "functions/loader/parquet.py",
        "DEEPEST = 20",
        "DEEPEST = 20_000",
    ),
    mutant(
        "the manifest of Parquet files has no sizes",
        f"{PARQUET}::test_columns_in_another_order_and_two_schemas_in_one_upload",
        "functions/loader/copying.py",
        """sizes=dataset.layout.format == "parquet")""",
        "sizes=False)",
    ),
    mutant(
        "COPY of Parquet is tried with NOLOAD",
        "tests/unit/test_find_bad_files.py::test_parquet_that_no_error_names_is_halved_and_nothing_is_asked",
        "functions/find_bad_files.py",
        """if dataset.layout.format == "parquet":""",
        "if not dataset.layout.format:",
    ),
    mutant(
        "a Parquet file is taken for one of another format",
        "tests/unit/test_find_bad_files.py::test_parquet_that_the_error_names_by_its_https_address",
        "functions/loader/diagnosis.py",
        """    if dataset.layout.format == "parquet":""",
        """    if dataset.layout.format == "":""",
    ),
    mutant(
        "a Parquet file that COPY names by its https address is nobody's",
        "tests/unit/test_find_bad_files.py::test_parquet_that_the_error_names_by_its_https_address",
        "functions/find_bad_files.py",
        """(file.url, f".amazonaws.com/{file.bucket}/{file.key}")""",
        "(file.url,)",
    ),
    mutant(
        "a control of Parquet that fails has read its file",
        f"{PARQUET}::test_of_a_wrong_set_up_no_file_is_rejected",
        "functions/loader/known_good.py",
        """if statement.finished and dataset.layout.format == "parquet":""",
        """if dataset.layout.format == "parquet":""",
    ),
    mutant(
        "a whole number of Parquet that is out of smallint's range is converted",
        f"{PARQUET}::test_values_that_do_not_fit_reject_their_files",
        f"{GENERATE}/values.py",
        "BETWEEN -32768 AND 32767",
        "BETWEEN -99999 AND 99999",
    ),
    # The page's one sentence: never green when something is not well.
    mutant(
        "a sweep that came long ago is recent",
        f"{STATE}::test_it_does_not_stay_green_when_nothing_comes",
        "functions/loader/page/state.py",
        "page.swept + SILENT * every)",
        "page.swept + 1000 * every)",
    ),
    mutant(
        "of two concerns the smaller counts",
        f"{STATE}::test_it_is_never_green_when_something_is_not_well",
        "functions/loader/page/state.py",
        'level = max((each.level for each in now), key=LEVELS.index, default="green")',
        'level = min((each.level for each in now), key=LEVELS.index, default="green")\n    level = "green"',
    ),
    mutant(
        "rejected files are well",
        f"{STATE}::test_it_is_never_green_when_something_is_not_well",
        "functions/loader/page/state.py",
        "    for kind in LEFT_OUT:\n        if number",
        "    for kind in LEFT_OUT[1:]:\n        if number",
    ),
    mutant(
        "a failed load is well if it is the last one",
        f"{STATE}::test_it_is_never_green_when_something_is_not_well",
        "functions/loader/page/state.py",
        "if last and last.failed:",
        "if last and last.failed and False:",
    ),
    mutant(
        "a file that the load of the sweep did not load is loaded",
        f"{STATE}::test_the_load_of_a_sweep_that_failed_has_loaded_nothing",
        "functions/loader/page/model.py",
        "if load and not load.failed and not",
        "if load and not",
    ),
    mutant(
        "a sweep that did not look has seen all",
        f"{STATE}::test_it_is_never_green_when_something_is_not_well",
        "functions/loader/page/model.py",
        'return self.swept is not None and "oldest_not_loaded_seconds" in self.sweep',
        "return self.swept is not None",
    ),
    mutant(
        "a file that was loaded long ago and is rejected now is loaded",
        f"{STATE}::test_a_file_that_was_loaded_and_is_rejected_now_is_one",
        "functions/loader/page/model.py",
        "                if key in latest:\n                    continue\n",
        "",
    ),
    mutant(
        "a dataset is never overdue",
        f"{STATE}::test_it_is_never_green_when_something_is_not_well",
        "functions/loader/page/model.py",
        "return self.newest + self.expect if self.newest and self.expect else None",
        "return None",
    ),
    mutant(
        "a page that was written long ago stays as it was",
        f"{DOCUMENT}::test_a_page_does_not_stay_green_when_it_is_old",
        "functions/loader/page/document.py",
        "sorted([*state.later, old]",
        "sorted([*state.later]",
    ),
    mutant(
        "a key may turn the direction of the texts around it",
        f"{DOCUMENT}::test_what_nobody_would_see_is_written_out",
        "functions/loader/page/html.py",
        "        shown = text.visible(child)\n",
        "        shown = str(child)\n",
    ),
    mutant(
        "a link leads wherever a document says",
        f"{DOCUMENT}::test_what_is_no_execution_of_aws_has_no_link",
        "functions/loader/page/model.py",
        "return not found or found[2] == LOCAL_ACCOUNT",
        "return bool(found) and found[2] == LOCAL_ACCOUNT",
    ),
    mutant(
        "the widget takes any load id",
        "tests/page/test_widget.py::test_what_it_does_not_know_is_refused",
        "functions/widget.py",
        "_LOAD_ID.fullmatch(load)",
        "load",
    ),
    # The history: no load's document is lost, and the page never lacks one that a closed day should have.
    mutant(
        "a day's file is written over what others have added meanwhile",
        f"{HISTORY}::test_folds_at_the_same_time_lose_nothing",
        "functions/loader/history.py",
        "packed(document), over=version)",
        "packed(document))",
    ),
    mutant(
        "the document of a load that left one is replaced",
        f"{HISTORY}::test_a_load_that_left_none_gets_one_and_no_other_does",
        "functions/loader/history.py",
        "packed(document), over=NOTHING)",
        "packed(document))",
    ),
    mutant(
        "a document that changes after its day is closed is not folded",
        f"{HISTORY}::test_a_document_that_comes_or_changes_long_after_its_day",
        "functions/loader/history.py",
        "if modified >= at}",
        "if modified >= at and at < _closing(day)}",
    ),
    mutant(
        "days after one that is not folded are closed",
        f"{HISTORY}::test_a_day_that_cannot_be_folded_keeps_later_days_open",
        "functions/loader/history.py",
        'the next sweep does it", day=day)\n            return\n',
        'the next sweep does it", day=day)\n',
    ),
    mutant(
        "a load waits for its document as long as S3 likes",
        f"{HISTORY}::test_a_load_does_not_wait_long_for_its_document",
        "functions/loader/history.py",
        "self._put.result(timeout=GRACE)",
        "self._put.result(timeout=30)",
    ),
    mutant(
        "the files that are not loaded are not the first of a document",
        "tests/unit/test_finish.py::test_a_document_has_the_first_thousand_files_and_those_not_loaded",
        "functions/loader/load_document.py",
        'key=lambda file: bool(file[1] == "loaded"))',
        "key=lambda file: 0)",
    ),
    mutant(
        "a sweep that did not look says that all is loaded",
        "tests/unit/test_sweep.py::test_while_a_person_loads_nothing_is_swept",
        "functions/sweep.py",
        'looked["skipped"] = "a load is running"',
        'looked["oldest_not_loaded_seconds"] = 0',
    ),
    mutant(
        "a load that died is in no document",
        "tests/unit/test_sweep.py::test_a_load_that_never_came_to_its_end_is_in_the_history",
        "functions/sweep.py",
        "    document_gone(ended)  # before",
        "    # before",
    ),
    mutant(
        "a minute of the workgroup counts in full for each load that ran in it",
        "tests/local/test_compute.py::test_a_minute_is_shared_by_the_loads_that_ran_in_it",
        "local/client/compute.py",
        "seconds / len(running)",
        "seconds",
    ),
    mutant(
        "an event that EventBridge did not take is not sent again",
        f"{EVENT}::test_an_entry_that_is_refused_once_is_sent_again_alone",
        "functions/loader/event.py",
        "ATTEMPTS = 2",
        "ATTEMPTS = 1",
    ),
    mutant(
        "FailedEntryCount is not read",
        f"{EVENT}::test_an_entry_that_stays_refused_is_counted",
        "functions/loader/event.py",
        'if not answers["FailedEntryCount"]:',
        "if answers:",
    ),
    mutant(
        "events that could not be sent are not left to the sweep",
        "tests/stateful/test_announced.py::test_events_that_aws_refuses_fail_no_load_and_the_sweep_sends_them",
        "functions/loader/event.py",
        "self._store.put(self._key, left)",
        "pass",
    ),
    mutant(
        "a load waits for EventBridge for as long as it likes",
        f"{EVENT}::test_a_load_does_not_wait_for_an_answer_that_does_not_come",
        "functions/loader/event.py",
        "self._left.result(PATIENCE)",
        "self._left.result()",
    ),
    mutant(
        "an event that cannot be sent fails the load",
        f"{EVENT}::test_what_could_not_be_sent_is_measured_and_left_to_the_sweep",
        "functions/loader/event.py",
        '        except Exception:\n            logger.exception("the events of this load could not be sent',
        '        except KeyError:\n            logger.exception("the events of this load could not be sent',
    ),
    mutant(
        "a report that is too large is sent whole",
        f"{EVENT}::test_a_report_that_is_too_large_is_cut",
        "functions/loader/event.py",
        "> MOST - 40_000:",
        "> MOST * 40_000:",
    ),
    mutant(
        "the loader may put any event",
        "tests/stateful/test_recipes.py::test_the_other_bus_accepts_what_the_loader_may_send",
        "template.yaml",
        '"events:source": s3-redshift-loader, ',
        "",
        after="  SweepRole:",
    ),
    mutant(
        "lineage says that a dataset is complete of which files failed",
        f"{EVENT}::test_a_dataset_of_which_files_failed_has_failed",
        "functions/loader/lineage.py",
        "and settled < load",
        "and settled > load",
    ),
    mutant(
        "lineage has some of the files and says that it has all",
        "tests/stateful/test_announced.py::test_lineage_of_many_files_names_their_prefix",
        "functions/loader/lineage.py",
        "if loaded == len(files) <= MOST_FILES:",
        "if files:",
    ),
    mutant(
        "dbt takes a file that was undone as loaded",
        "tests/stateful/test_announced.py::test_dbt_is_told_when_the_newest_file_was_loaded_that_is_not_undone",
        "local/commands/dbt_sources.py",
        " and status = 'loaded'\"",
        '"',
    ),
)
