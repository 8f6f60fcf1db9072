"""Descriptions of events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.domain.event_text import EVENT_TYPES, LANGUAGES, describe
from jobtrack.domain.events import EVENT_NAMES

LABELS = {"ja": "パフォーマンス分析", "en": "Performance Analysis"}
FULL: dict[str, Any] = {
    "stageName": "Mining",
    "progress": 78.9,
    "error": {"message": "disk full"},
    "resourceId": "node-2",
    "condition": "license",
}


def test_every_event_of_timeline_and_push_can_be_described() -> None:
    timeline = {"resourceAllocated", "resourceReleased", "blocked", "unblocked"}
    assert {*EVENT_NAMES, *timeline, "ping", "subscriptionEnded"} <= EVENT_TYPES


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_language_has_words_of_its_own_for_it(event_type: str) -> None:
    told = {describe(event_type, language, FULL) for language in LANGUAGES}
    assert len(told) == len(LANGUAGES)
    assert describe(event_type, "en", FULL).isascii()
    assert not describe(event_type, "ja", FULL).isascii()


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_bare_event_reads_well_too(event_type: str, language: str) -> None:
    told = describe(event_type, language, {})
    assert told
    assert told == told.strip()
    assert "None" not in told
    assert "{" not in told


@pytest.mark.parametrize(
    ("event_type", "data", "labels", "told"),
    [
        ("jobStarted", {}, None, "ジョブ実行開始"),
        ("stageStarted", {"stageName": "Data Loading"}, {"ja": "データローディング"}, "データローディングステージ開始"),
        ("stageStarted", {"stageName": "Data Loading"}, {"en": "Loading"}, "Data Loadingステージ開始"),
        ("progressUpdate", {"progress": 78}, LABELS, "パフォーマンス分析 78% 完了"),
        ("progressUpdate", {"recordsProcessed": 2, "totalRecords": 3}, LABELS, "パフォーマンス分析 66% 完了"),
        ("progressUpdate", {"recordsProcessed": 0, "totalRecords": 0}, LABELS, "パフォーマンス分析 0件処理済み"),
        ("progressUpdate", {"recordsProcessed": 5}, None, "5件処理済み"),
        ("stageCompletion", {}, LABELS, "パフォーマンス分析ステージ完了予定"),
        ("jobCompletion", {}, None, "ジョブ完了予定"),
        ("jobFailed", {"error": {"message": "disk full"}}, None, "ジョブ失敗: disk full"),
        ("jobFailed", {}, None, "ジョブ失敗"),
        ("milestone", {"description": "プロセスモデル発見"}, LABELS, "プロセスモデル発見"),
        ("error", {"level": "ERROR", "message": "{stage} %s"}, LABELS, "{stage} %s"),
    ],
)
def test_in_the_style_of_the_specification(
    event_type: str, data: dict[str, Any], labels: dict[str, str] | None, told: str
) -> None:
    assert describe(event_type, "ja", data, labels) == told


@given(st.sampled_from(sorted(EVENT_TYPES)), st.text(), st.sampled_from(["ja", "en", "fr", ""]))
def test_names_are_never_taken_as_templates(event_type: str, name: str, language: str) -> None:
    assert isinstance(describe(event_type, language, {"stageName": name, "error": {"message": name}}), str)


def test_another_language_is_answered_in_japanese() -> None:
    assert describe("jobStarted", "fr", {}) == "ジョブ実行開始"
