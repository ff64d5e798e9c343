"""What every YAML file of this program has in common: strict models, and errors that name the place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.metrics_url import MetricsPage, parse_metrics_page
from pprof_exporter.config.units import parse_duration, parse_size
from pprof_exporter.inputs.text_file import BadText, read_text
from pprof_exporter.inputs.yaml_document import BadYaml, Schema, member_schema, parse_yaml, resolved


class Strict(BaseModel):
    """A section that refuses keys which it does not know, and keys which exclude each other."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of keys of which one may be given at the most."""

    @field_validator("*", mode="after")
    @classmethod
    def _alone(cls, value: Any, info: ValidationInfo) -> Any:
        # Here and not for the whole section, so that the error has the line of the key.
        for group in cls.exclusive:
            if info.field_name in group and value not in _ABSENT:
                other = next((name for name in group if info.data.get(name) not in _ABSENT), None)
                if other is not None:
                    raise ValueError(f"{other} and {info.field_name} are mutually exclusive; remove one")
        return value


_ABSENT = (None, False)
_MOST_BYTES = 64 * 2**20


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _seconds_or_off(value: object) -> object:
    # YAML 1.1 reads a bare `off` as false.
    return 0.0 if value in ("off", False) else _seconds(value)


def _bytes(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _page(value: object) -> MetricsPage:
    return parse_metrics_page(str(value))


def environment(info: ValidationInfo) -> Mapping[str, str]:
    """The environment variables that a file may refer to."""
    return (info.context or {}).get("environ") or {}


def _concurrent(file: Path, info: ValidationInfo) -> Path:
    """Resolve a path relative to the file that names it."""
    return Path((info.context or {}).get("folder") or "") / file


def _there(file: Path) -> Path:
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror or error}") from None


Duration = Annotated[float, BeforeValidator(_seconds)]
DurationOrOff = Annotated[float, BeforeValidator(_seconds_or_off)]
Size = Annotated[int, BeforeValidator(_bytes), Field(lt=2**63)]
Page = Annotated[MetricsPage, PlainValidator(_page), WithJsonSchema({"type": "string"})]
ExistingFile = Annotated[Path, AfterValidator(_concurrent), AfterValidator(_there)]
"""A file that can be read now."""
Model = TypeVar("Model", bound=Strict)


def load_yaml(path: Path, model: type[Model], environ: Mapping[str, str] | None = None) -> Model:
    """Read and validate a file, which may refer to variables of `environ`. Raises `ConfigError`."""
    try:
        document, marks = parse_yaml(read_text(path, _MOST_BYTES), _schema(model))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except BadText as error:
        raise ConfigError(f"{path}: {error}") from None
    except BadYaml as error:
        raise ConfigError(f"{path}:{error.line}: {error.sentence}") from None
    try:
        return model.model_validate(
            {} if document is None else document, context={"folder": path.parent, "environ": environ}
        )
    except ValidationError as error:
        located = ((marks.line(problem["loc"]), _sentence(problem, model)) for problem in error.errors())
        raise ConfigError("\n".join(f"{path}:{line}: {sentence}" for line, sentence in located)) from None


def _sentence(problem: Any, model: type[Strict]) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "the top level"
    if problem["type"] == "extra_forbidden":
        return f"{place}: unknown key{_nearest(problem['loc'], model)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}"


def _nearest(loc: tuple[int | str, ...], model: type[Strict]) -> str:
    fields = _fields_at(loc[:-1], model)
    close = difflib.get_close_matches(str(loc[-1]), fields, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(sorted(fields))}" if fields else ""


def _fields_at(loc: tuple[int | str, ...], model: type[Strict]) -> list[str]:
    """Keys known at a place, by walking the JSON schema, which resolves lists, mappings and optionals alike."""
    schema = _schema(model)
    node = schema
    for part in loc:
        node = member_schema(node, part, schema)
    return list(resolved(node, schema).get("properties", {}))


@cache
def _schema(model: type[Strict]) -> Schema:
    return model.model_json_schema(by_alias=True)
