"""The file of `capture --matrix`: programs to start one after the other, under the same load."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pprof_exporter.config import BadTarget, parse_target
from pprof_exporter.config.relabel import LABEL_NAME
from pprof_exporter.config.strict import Duration, Strict, load_yaml


class MatrixCommand(Strict):
    """A command: words that run without a shell, or a line for the shell."""

    words: tuple[str, ...] = ()
    shell: str = ""

    @model_validator(mode="after")
    def _words_or_shell(self) -> MatrixCommand:
        if bool(self.words) == bool(self.shell):
            raise ValueError("write a command as text, as a list of words, or as {shell: LINE}")
        return self

    @property
    def line(self) -> str:
        """The command as typed in a shell."""
        return self.shell or shlex.join(self.words)

    def for_target(self, target: str) -> MatrixCommand:
        """The same command, with `{target}` filled in."""
        return MatrixCommand(
            words=tuple(word.replace("{target}", target) for word in self.words),
            shell=self.shell.replace("{target}", shlex.quote(target)),
        )


def _command(value: object) -> object:
    if isinstance(value, str):
        # Raises ValueError for an unclosed quotation.
        return {"words": tuple(shlex.split(value))}
    return {"words": tuple(map(str, value))} if isinstance(value, list) else value


MatrixCommandField = Annotated[MatrixCommand, BeforeValidator(_command)]


def _as_strings(value: object) -> object:
    """YAML reads `GOMAXPROCS: 2` as a number."""
    if isinstance(value, dict):
        return {key: str(text) if isinstance(text, int | float) else text for key, text in value.items()}
    return value


StringMap = Annotated[dict[str, str], BeforeValidator(_as_strings)]


class MatrixEntry(Strict):
    """One program. Keys that are not set here take the value of the matrix."""

    name: str = Field(min_length=1)
    start: MatrixCommandField
    target: str
    directory: str = "."
    env: StringMap = Field(default_factory=dict)
    labels: StringMap = Field(default_factory=dict)
    load: MatrixCommandField | None = None
    warm_up: Duration | None = Field(default=None, gt=0)
    versions: list[MatrixCommandField] = Field(default_factory=list)

    @field_validator("target")
    @classmethod
    def _is_target(cls, text: str) -> str:
        try:
            parse_target(text)
        except BadTarget as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in labels if not LABEL_NAME.fullmatch(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is not the name of a label; use letters, digits and _")
        return labels


class Matrix(Strict):
    """The whole file. The flags of the command line override `rounds` and `every`."""

    entries: list[MatrixEntry] = Field(min_length=1)
    load: MatrixCommandField | None = None
    warm_up: Duration = Field(default=5.0, gt=0)
    start_within: Duration = Field(default=60.0, gt=0)
    stop_within: Duration = Field(default=10.0, gt=0)
    rounds: int | None = Field(default=None, ge=1)
    every: Duration | None = Field(default=None, gt=0)
    versions: list[MatrixCommandField] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_differ(self) -> Matrix:
        names = [entry.name for entry in self.entries]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two entries have the name {twice!r}")
        return self

    def load_of(self, entry: MatrixEntry) -> MatrixCommand | None:
        """The load command of an entry, with its target filled in."""
        command = entry.load or self.load
        return command.for_target(parse_target(entry.target).process) if command else None

    def warm_up_of(self, entry: MatrixEntry) -> float:
        """Seconds from the start of the load to the first round."""
        return entry.warm_up or self.warm_up


def load_matrix(path: Path) -> Matrix:
    """Read and validate a file. Raises `ConfigError` with the lines of the errors."""
    return load_yaml(path, Matrix)
