"""The description of an event for people, in each language."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

Language = Literal["ja", "en"]
DEFAULT_LANGUAGE: Language = "ja"

_CATALOGUE = {
    "jobQueued": {"ja": "ジョブ受付", "en": "Job queued"},
    "jobStarted": {"ja": "ジョブ実行開始", "en": "Job started"},
    "jobStalled": {"ja": "ジョブからの報告が途絶", "en": "No report from the job"},
    "jobCompleted": {"ja": "ジョブ完了", "en": "Job completed"},
    "jobFailed": {"ja": "ジョブ失敗: {reason}", "en": "Job failed: {reason}"},
    "jobCancelled": {"ja": "ジョブ中止", "en": "Job cancelled"},
    "stageStarted": {"ja": "{stage}ステージ開始", "en": "{stage} stage started"},
    "stageCompleted": {"ja": "{stage}ステージ完了", "en": "{stage} stage completed"},
    "stageFailed": {"ja": "{stage}ステージ失敗: {reason}", "en": "{stage} stage failed: {reason}"},
    "stageSkipped": {"ja": "{stage}ステージ省略", "en": "{stage} stage skipped"},
    "progressUpdate": {"ja": "{stage} {progress}% 完了", "en": "{stage} {progress}% complete"},
    "recordsProcessed": {"ja": "{stage} {records}件処理済み", "en": "{stage} {records} records processed"},
    "milestone": {"ja": "マイルストーン", "en": "Milestone"},
    "warning": {"ja": "警告", "en": "Warning"},
    "error": {"ja": "エラー", "en": "Error"},
    "log": {"ja": "ログ", "en": "Log"},
    "resourceAllocated": {"ja": "リソース割り当て: {resource}", "en": "Resource allocated: {resource}"},
    "resourceReleased": {"ja": "リソース解放: {resource}", "en": "Resource released: {resource}"},
    "blocked": {"ja": "実行待ち: {condition}", "en": "Blocked: {condition}"},
    "unblocked": {"ja": "実行待ち解除: {condition}", "en": "No longer blocked: {condition}"},
    "stageStart": {"ja": "{stage}ステージ開始予定", "en": "{stage} stage expected to start"},
    "stageCompletion": {"ja": "{stage}ステージ完了予定", "en": "{stage} stage expected to complete"},
    "jobCompletion": {"ja": "ジョブ完了予定", "en": "Job expected to complete"},
    "ping": {"ja": "接続テスト", "en": "Connection test"},
    "subscriptionEnded": {"ja": "購読終了", "en": "Subscription ended"},
}

EVENT_TYPES = frozenset(_CATALOGUE) - {"recordsProcessed"}
"""Every type of event that has a description: reported events, expected events, and our own messages."""
LANGUAGES: frozenset[Language] = frozenset(get_args(Language))


def describe(event_type: str, language: str, data: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    """Describe an event in one line: by its reported `description` or `message`, else by the text of the catalogue.

    `labels` are the names of the stage by language. For an unknown language, the text is Japanese.
    """
    reported = data.get("description") or data.get("message")
    return str(reported) if reported else _catalogue_text(event_type, language, data, labels or {})


def _catalogue_text(event_type: str, language: str, data: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    progress = _progress(data) if event_type == "progressUpdate" else None
    name = "recordsProcessed" if event_type == "progressUpdate" and progress is None else event_type
    texts = _CATALOGUE[name]
    text = texts.get(language, texts[DEFAULT_LANGUAGE]).format(
        stage=labels.get(language) or data.get("stageName") or "",
        progress=progress,
        records=data.get("recordsProcessed", 0),
        reason=_reason(data.get("error")),
        resource=data.get("resourceName") or data.get("resourceId") or "",
        condition=data.get("condition", ""),
    )
    return text.strip().removesuffix(":")


def _reason(error: object) -> str:
    """Return the message of an error. The `error` of an event is not validated, so it may be anything."""
    return str(error.get("message") or "") if isinstance(error, Mapping) else ""


def _progress(data: Mapping[str, Any]) -> int | None:
    if data.get("progress") is not None:
        return int(data["progress"])
    done, total = data.get("recordsProcessed"), data.get("totalRecords")
    return min(100, 100 * done // total) if done is not None and total else None
