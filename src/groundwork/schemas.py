"""What the sections of the configuration are made of: the class decorator and bounded types."""

from typing import Annotated, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

Section = TypeVar("Section")


@dataclass_transform(frozen_default=True)
def schema(cls: type[Section]) -> type[Section]:
    """Class decorator: a frozen dataclass that refuses unknown keys and wrong types."""
    make = pydantic_dataclass(
        frozen=True, slots=True, config=ConfigDict(extra="forbid", strict=True)
    )
    return cast(type[Section], make(cls))


PositiveInt = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
