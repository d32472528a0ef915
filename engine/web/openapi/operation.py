"""What can be said of one method at one address, as plain data.

What lives here: the structs, and how parameters and examples stand in OpenAPI. What may not: any address by name.

1. An `Operation` names its schemas by struct or by a component's name (`Shape`); `document` puts all of them together.
2. An `Example` is a request and its answer, under one name in both places. Tests send every one of them.
3. `refuses` are the codes that this operation alone knows (`engine.web.refusal`); what any request can be refused for
   is added by who may call the address.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from engine.web.door import Who

Json: TypeAlias = dict[str, Any]
Shape: TypeAlias = type[Struct] | str  # a struct, or the name of a component that is no struct
Method: TypeAlias = Literal["GET", "POST", "DELETE"]

JSON: Final = "application/json"
SCHEMAS: Final = "#/components/schemas/"
# Structs whose own names would say little to who reads a generated client.
_NAMES: Final[Mapping[str, str]] = {"Said": "DecisionRequest", "Erased": "Erasure", "Reasons": "ExperienceReasons"}


class Parameter(Struct, frozen=True):
    """A part of the path, of the query, or a header."""

    name: str
    where: Literal["path", "query", "header"]
    schema: Json
    says: str
    is_required: bool = False
    example: str | None = None


class Example(Struct, frozen=True):
    """A request that is answered like this; `body` None where the parameters' examples are the whole of it."""

    name: str
    summary: str
    answer: Any
    body: Any = None


class Answer(Struct, frozen=True):
    """A good answer; `shape` None: it has no body."""

    says: str
    shape: Shape | None = None
    media_types: Sequence[str] = (JSON,)
    headers: Mapping[str, Json] = {}


class Operation(Struct, frozen=True):
    """One method at one address, for `who` may call it (`engine.web.door`). `body` is what is sent in it, as any of
    `media_types`; `security`, how one shows who one is: any of these schemes, the empty name for none at all.
    """

    id: str
    who: Who
    tag: str
    summary: str
    says: str
    answers: Mapping[int, Answer]
    parameters: Sequence[Parameter] = ()
    body: Shape | None = None
    may_be_empty: bool = False
    media_types: Sequence[str] = (JSON,)
    examples: Sequence[Example] = ()
    refuses: Sequence[str] = ()
    security: Sequence[str] = ()


Operations: TypeAlias = Mapping[tuple[Method, str], Operation]


def name_of(shape: Shape) -> str:
    """The name of the component that this shape is."""
    if isinstance(shape, str):
        return shape
    return _NAMES.get(shape.__name__, shape.__name__.removeprefix("_").removesuffix("Said"))


def ref(shape: Shape) -> Json:
    """A reference to the component."""
    return {"$ref": SCHEMAS + name_of(shape)}


def parameter_json(parameter: Parameter) -> Json:
    """The parameter as OpenAPI writes it."""
    said: Json = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.is_required,
        "description": parameter.says,
        "schema": parameter.schema,
    }
    return said if parameter.example is None else {**said, "example": parameter.example}


def body_json(operation: Operation) -> Json | None:
    """The request's body as OpenAPI writes it, None where there is none."""
    if operation.body is None:
        return None
    examples = {
        example.name: {"summary": example.summary, "value": example.body}
        for example in operation.examples
        if example.body is not None
    }
    first, *others = operation.media_types
    schema = ref(operation.body)
    content: Json = {first: {"schema": schema, **({"examples": examples} if examples else {})}}
    return {
        "required": not operation.may_be_empty,
        "content": {**content, **{other: {"schema": schema} for other in others}},
    }


def answer_json(answer: Answer, examples: Sequence[Example]) -> Json:
    """A good answer as OpenAPI writes it."""
    said: Json = {"description": answer.says}
    if answer.headers:
        said["headers"] = dict(answer.headers)
    if answer.shape is not None:
        schema = {"schema": ref(answer.shape)}
        named = {example.name: {"summary": example.summary, "value": example.answer} for example in examples}
        first, *others = answer.media_types
        said["content"] = {first: {**schema, **({"examples": named} if named else {})}} | dict.fromkeys(others, schema)
    return said
