"""Measure structs against dataclasses: creating them, and encoding them for storage: `python -m bench.values`.

The figures are ratios, so that they can be compared between machines.
"""

import importlib
import pkgutil
import timeit
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import orjson
from msgspec import Struct, structs

import jobtrack
from bench import workload
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.lifecycle import apply

STAGES = 20
_CLASS = {
    "dataclass": "@dataclass(slots=True)\nclass {name}:\n{members}",
    "struct": "class {name}(Struct):\n{members}",
}


def main() -> None:
    """Print the times of dataclasses as multiples of those of structs."""
    types = _struct_types()
    create = {kind: _class_creation(kind, types) for kind in _CLASS}
    print(f"create {len(types)} classes: {_ratio(create['dataclass'], create['struct'], 3)}")
    job = _job()
    text = msgspec.json.encode(job)
    decoder = msgspec.json.Decoder(Job)
    print(
        f"encode a job of {STAGES} stages: {_ratio(lambda: orjson.dumps(_dump(job)), lambda: msgspec.json.encode(job))}"
    )
    print(f"decode it: {_ratio(lambda: _load(orjson.loads(text)), lambda: decoder.decode(text))}")
    print(f"its size: {len(orjson.dumps(_dump(job))) / len(text):.2f}")


def _ratio(dataclasses: Callable[[], object], with_structs: Callable[[], object], times: int = 2000) -> str:
    before, after = (min(timeit.repeat(call, number=times, repeat=5)) for call in (dataclasses, with_structs))
    return f"{before / after:.1f} times as fast"


def _struct_types() -> list[type[Struct]]:
    for module in pkgutil.walk_packages(jobtrack.__path__, "jobtrack."):
        importlib.import_module(module.name)
    return sorted(set(_subclasses(Struct)), key=lambda kind: f"{kind.__module__}.{kind.__name__}")


def _subclasses(base: type[Struct]) -> Iterable[type[Struct]]:
    for kind in base.__subclasses__():
        yield from _subclasses(kind)
        if kind.__module__.startswith("jobtrack."):
            yield kind


def _class_creation(kind: str, types: Iterable[type[Struct]]) -> Callable[[], None]:
    """Return a function that creates, for each type, a class with the same members."""
    source = "from dataclasses import dataclass\nfrom msgspec import Struct\n"
    for index, value_type in enumerate(types):
        members = [f"    {name}: 'Any'" for name in value_type.__struct_fields__] or ["    pass"]
        source += _CLASS[kind].format(name=f"Value{index}", members="\n".join(members)) + "\n"
    code = compile(source, kind, "exec")
    return lambda: exec(code, {"__name__": __name__})  # noqa: S102  # the source is made above


def _job() -> Job:
    job = Job("job", "Customer Journey Analysis", "ProcessMining", workload.START, submitted_by="user123")
    job.stages = [Stage(f"Stage {number}", {"ja": f"段階 {number}"}, 60.0 * number) for number in range(STAGES)]
    reports: list[tuple[str, dict[str, Any]]] = [("jobStarted", {})]
    for number in range(STAGES // 2):
        name = {"stageName": f"Stage {number}"}
        reports += [("stageStarted", name), ("stageCompleted", {**name, "metrics": {"rows": 123 * number}})]
    apply(job, [Event(kind, workload.START, data) for kind, data in reports], workload.START)
    return job


def _dump(job: Job) -> dict[str, Any]:
    """Return the stored form (the members that differ from their defaults), made without msgspec."""
    return {**_members(job), "stages": [_members(stage) for stage in job.stages]}


def _members(value: Job | Stage) -> dict[str, Any]:
    defaults = _DEFAULTS[type(value)]
    return {
        name: member
        for name in value.__struct_fields__
        if (member := getattr(value, name)) not in (defaults[name], None, {}, [])
    }


def _load(data: dict[str, Any]) -> Job:
    job = Job(**data)
    job.stages = [Stage(**stage) for stage in data["stages"]]
    return job


_DEFAULTS = {kind: {field.name: field.default for field in structs.fields(kind)} for kind in (Job, Stage)}


if __name__ == "__main__":
    main()
