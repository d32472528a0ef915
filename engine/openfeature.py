"""The engine as an OpenFeature provider, inside the program: `pip install 'mutiny-edge[openfeature]'`.

    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext
    from engine import Engine
    from engine.openfeature import MutinyEdgeProvider

    api.set_provider_and_wait(MutinyEdgeProvider(Engine.open(rules="rules", data="data")))
    context = EvaluationContext(targeting_key="ada", attributes={"url": "https://www.example.com/"})
    api.get_client().get_string_value("homepage", "control", context)

What lives here: the SDK's shape over an engine. What may not: a meaning of its own. A flag's value, variant, reason and
metadata, the names in a context and what is wrong with one are those of `/ofrep/v1/evaluate/flags/{key}`.

1. An experience is a flag, and its value is text: the key of the variant, `control` in the control group, and the
   default of the code where nothing matched. Whoever asks for another type gets the default or TYPE_MISMATCH.
2. The targeting key is the visitor's id. A context goes through the very reader that OFREP's body goes through; its
   values are those that `Engine.decide` takes.
3. Events: CONFIGURATION_CHANGED after rules were swapped, or an experience began or ended by its `schedule`, with the
   flags that may answer otherwise; STALE while there is trouble (`Engine.trouble`: the last good rules decide, on what
   is known), READY once that is over. After `initialize` the SDK says READY whatever there is; trouble is told at the
   next look at the files.
4. The engine is the caller's: `shutdown` only ends the watching. Once the caller has closed it, that is told as ERROR,
   and the status is FATAL: the SDK gives the default without asking.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec

from engine.decide.flags import Flag
from engine.embedded.engine import Engine
from engine.embedded.guest import News
from engine.node import utc_now
from engine.problems import did_you_mean
from engine.profiles.values import BadValue, normalise, normalise_traits
from engine.web.ofrep import context as contexts
from engine.web.ofrep.evaluate import viewed
from engine.web.refusal import Refused
from engine.words import Ruleset, Visit

try:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.event import ProviderEventDetails
    from openfeature.exception import ErrorCode, FlagNotFoundError, InvalidContextError, TypeMismatchError
    from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
    from openfeature.provider import AbstractProvider, Metadata
except ImportError as missing:
    raise ImportError(
        "engine.openfeature needs the OpenFeature SDK: pip install 'mutiny-edge[openfeature]'"
    ) from missing

T = TypeVar("T")
Structure: TypeAlias = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class MutinyEdgeProvider(AbstractProvider):
    """Answers an SDK's questions out of an engine, in microseconds; any number of threads may ask.

    `get_string_value` gives the variant to show; `get_string_details` also the reason and, in `flag_metadata`, what the
    exposure is sent with: `experience`, `audienceSegment`, `personalized`. They are there where the visitor matched.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        _refuse_unless_engine(engine)
        self._engine = engine
        self._guest = engine.guest
        self._version = engine.ruleset
        self._stale = False
        self._unwatch: Callable[[], None] = lambda: None

    def get_metadata(self) -> Metadata:
        """The provider's name, `mutiny-edge`."""
        return Metadata(name="mutiny-edge")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - the SDK's
        """Watch the engine: it is ready by then. Raises RuntimeError for an engine that is closed."""
        self._unwatch()
        self._unwatch = self._engine.watch(self._tell)
        self._guest.endings.add(self._end)

    def shutdown(self) -> None:
        """Watch no more; the engine stays open."""
        self._unwatch()
        self._unwatch = lambda: None
        self._guest.endings.discard(self._end)

    def _end(self) -> None:
        """The engine was closed, and opens no more."""
        closed = ProviderEventDetails(message="the engine was closed", error_code=ErrorCode.PROVIDER_FATAL)
        self.emit_provider_error(closed)

    def _tell(self, news: News) -> None:
        """Make events of news."""
        if news.experiences or news.ruleset != self._version:
            self._version = news.ruleset
            changed = ProviderEventDetails(flags_changed=list(news.experiences), metadata={"version": news.ruleset})
            self.emit_provider_configuration_changed(changed)
        if news.trouble is not None:
            self._stale = True
            self.emit_provider_stale(ProviderEventDetails(message=news.trouble))
        elif self._stale:
            self._stale = False
            self.emit_provider_ready(ProviderEventDetails())

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The key of the variant that this visitor sees, `control`, or the default. Raises OpenFeatureError."""
        flag = self._flag(flag_key, evaluation_context)
        return _details(flag, default_value if flag.value is None else flag.value)

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the SDK's
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """As `_other`."""
        return self._other(flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """As `_other`."""
        return self._other(flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """As `_other`."""
        return self._other(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Structure,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Structure]:
        """As `_other`."""
        return self._other(flag_key, default_value, evaluation_context)

    async def resolve_string_details_async(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The same; a shared store is asked in a thread."""
        return await self._apart(self.resolve_string_details, flag_key, default_value, evaluation_context)

    async def resolve_boolean_details_async(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the SDK's
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """The same; a shared store is asked in a thread."""
        return await self._apart(self.resolve_boolean_details, flag_key, default_value, evaluation_context)

    async def resolve_integer_details_async(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The same; a shared store is asked in a thread."""
        return await self._apart(self.resolve_integer_details, flag_key, default_value, evaluation_context)

    async def resolve_float_details_async(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """The same; a shared store is asked in a thread."""
        return await self._apart(self.resolve_float_details, flag_key, default_value, evaluation_context)

    async def resolve_object_details_async(
        self,
        flag_key: str,
        default_value: Structure,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Structure]:
        """The same; a shared store is asked in a thread."""
        return await self._apart(self.resolve_object_details, flag_key, default_value, evaluation_context)

    async def _apart(self, resolve: Callable[..., T], *asked: Any) -> T:
        if self._guest.answers_at_once:
            return resolve(*asked)
        return await asyncio.to_thread(resolve, *asked)

    def _other(self, key: str, default: T, context: EvaluationContext | None) -> FlagResolutionDetails[T]:
        """The default where nothing matched. Raises OpenFeatureError, TYPE_MISMATCH where something did."""
        flag = self._flag(key, context)
        if flag.value is not None:
            raise TypeMismatchError(f"`{key}` is an experience, and its value the key of a variant: ask for a string")
        return _details(flag, default)

    def _flag(self, key: str, context: EvaluationContext | None) -> Flag:
        """What the flag says to whom the context means, by one ruleset. Raises OpenFeatureError."""
        decider, node = self._guest.node.held.decider, self._guest.node
        try:
            asked = contexts.read(_as_body(context))
            if not isinstance(key, str) or key not in decider.ruleset.experiences:
                raise _not_found(key, decider.ruleset)
            view = viewed(decider, key, asked)
        except Refused as refused:
            code = json.loads(refused.body("ofrep"))["errorCode"]
            raise ErrorCode.to_exception(ErrorCode(code), refused.detail) from None
        visit = Visit(asked.count, asked.first_seen, asked.new, asked.device)
        page = asked.page if asked.page.url else None
        decide = partial(node.decide_on, decider, view, visit=visit, traits=asked.traits, only=key)
        decision = self._guest.ask(decide, asked.visitor_id, page)
        return decider.flags.of(key, decision, utc_now())


def _refuse_unless_engine(given: object) -> None:
    """Raises TypeError for anything else, such as a folder."""
    if not isinstance(given, Engine):
        expected = 'Expected an Engine, MutinyEdgeProvider(Engine.open(rules="rules"))'
        raise TypeError(f"{expected}, got {type(given).__name__}.")


def _as_body(context: EvaluationContext | None) -> bytes:
    """The context as OFREP's clients send it. Raises OpenFeatureError."""
    if context is None:
        return b'{"context":{}}'
    attributes = dict(context.attributes)
    traits: Any = attributes.pop("traits", {})
    try:
        said = {"targetingKey": normalise(context.targeting_key), **normalise_traits(attributes)}
        said["traits"] = normalise_traits(traits) if type(traits) is dict else normalise(traits)
    except BadValue as bad:
        raise InvalidContextError(f"the context holds what cannot be used: {bad}") from None
    return msgspec.json.encode({"context": said})


def _not_found(key: object, ruleset: Ruleset) -> FlagNotFoundError:
    if not isinstance(key, str):
        return FlagNotFoundError(f"Expected the key of an experience as text, got {type(key).__name__}.")
    near = did_you_mean(key, ruleset.experiences)
    return FlagNotFoundError(f"there is no experience `{key}`" + (f"; {near}" if near else ""))


def _details(flag: Flag, value: T) -> FlagResolutionDetails[T]:
    return FlagResolutionDetails(
        value=value, reason=Reason(flag.reason), variant=flag.variant, flag_metadata=dict(flag.metadata)
    )
