"""Send a dataset version to a repository: one commit with all of it, or nothing, and a tag.

Each step may be done again without harm: making a repository that is there, uploading what has
arrived, tagging what is tagged. A commit names the head it was planned on, so it cannot happen
twice, and each attempt looks first whether the one before arrived after all.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from huggingface_hub import CommitOperationAdd

from pipeline.publishing.hub.contents import Contents
from pipeline.publishing.hub.failures import HubBusyError, HubError
from pipeline.publishing.hub.plan import PushPlan, plan_push
from pipeline.publishing.hub.repository import Commit, HubRepository

Found = TypeVar("Found")

Wait = Callable[[float], None]

DEFAULT_WAITS_S: tuple[float, ...] = (1.0, 4.0, 15.0)
"""Between attempts at a step that failed in a way that may pass."""


class PushRequest(NamedTuple):
    """What is sent, and how."""

    contents: Contents
    public: bool
    message: str


class Pushed(NamedTuple):
    """What a push did."""

    plan: PushPlan
    commit: str
    """That the version's tag points to."""


class Patience(NamedTuple):
    """How often a step is tried again."""

    wait: Wait
    waits_s: Sequence[float] = DEFAULT_WAITS_S


def look_and_plan(repository: HubRepository, request: PushRequest, patience: Patience) -> PushPlan:
    """Say what a push would do; nothing is changed.

    Raises:
        HubError, HubRefusalError: The hub cannot be asked.
        RepositoryConflictError: It would be refused.
    """
    return _try(lambda: _look(repository, request), patience).plan


def push_version(repository: HubRepository, request: PushRequest, patience: Patience) -> Pushed:
    """Send a version, or find it there.

    Raises:
        HubError, HubRefusalError: The hub failed or refused; what it has is what it had, but for
            uploads that the next attempt finds.
        RepositoryConflictError: The repository is public, or the tag holds something else.
    """
    first = look_and_plan(repository, request, patience)
    if first.makes_repository:
        _try(lambda: repository.make(private=not request.public), patience)
    found = _try(lambda: _look(repository, request), patience)
    if found.plan.is_tagged:
        return Pushed(first, found.commit)
    with repository.upload(found.plan.sent) as additions:
        commit = _try(lambda: _commit(repository, request, additions), patience)
    _try(lambda: repository.tag(request.contents.manifest.version, commit), patience)
    return Pushed(first, commit)


class _Found(NamedTuple):
    """What a look found."""

    plan: PushPlan
    head: str
    commit: str
    """That the version's tag points to."""


def _look(repository: HubRepository, request: PushRequest) -> _Found:
    state = repository.look(request.contents.manifest.version)
    plan = plan_push(request.contents, state, public=request.public, repository=repository.target)
    return _Found(plan, state.head if state else "", (state and state.tagged_commit) or "")


def _commit(
    repository: HubRepository, request: PushRequest, additions: Sequence[CommitOperationAdd]
) -> str:
    """Commit what was uploaded, unless an attempt before did and only its answer was lost."""
    found = _look(repository, request)
    if not found.plan.needs_commit:
        return found.head
    if {file.path for file in found.plan.sent} != {addition.path_in_repo for addition in additions}:
        raise HubError(
            f"{repository.target} was changed by somebody else meanwhile, and nothing was "
            "committed. Run the same command again."
        )
    removed, parent = found.plan.removed, found.head
    commit = repository.commit(
        Commit(removed, request.message, _describe(request.contents), parent), additions
    )
    missing = [file.path for file in _look(repository, request).plan.sent]
    if missing:
        raise HubError(
            f"{repository.target} took the commit but not {', '.join(missing)}: a .gitignore there "
            "perhaps. Remove it on the hub and run the same command again."
        )
    return commit


def _describe(contents: Contents) -> str:
    manifest = contents.manifest
    lines = [f"{manifest.kept} records kept of {manifest.generated} generated."]
    stayed = [left.path for left in contents.left_out if left.path in _of_the_version(contents)]
    if stayed:
        lines.append(f"Named in the manifest, but not here: {', '.join(stayed)}.")
    return "\n".join(lines)


def _of_the_version(contents: Contents) -> set[str]:
    return {file.path for file in contents.manifest.files}


def _try(step: Callable[[], Found], patience: Patience) -> Found:
    for wait_s in patience.waits_s:
        try:
            return step()
        except HubBusyError:
            patience.wait(wait_s)
    return step()
