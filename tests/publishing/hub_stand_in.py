"""A stand-in for the Hugging Face Hub on a real socket: repositories, LFS, tags, faults."""

import base64
import hashlib
import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_standInTokenOfTheTests"  # noqa: S105 - of nobody

Files = dict[str, bytes]


class Fault(NamedTuple):
    """What happens to the next request of this kind, once."""

    method: str
    path: str
    """A part of the path."""
    answer: int | Literal["cut", "lose"]
    """A status; ``cut``: the connection breaks in the body; ``lose``: after the work is done."""


class Repository:
    """One dataset repository: a line of commits and tags on them."""

    def __init__(self, private: bool) -> None:
        self.private = private
        self.commits: list[tuple[str, Files]] = []
        self.messages: list[tuple[str, str]] = []
        self.tags: dict[str, str] = {}
        self.lfs: set[str] = set()
        self.add({".gitattributes": b"*.parquet filter=lfs\n"}, "initial commit")

    def add(self, files: Files, message: str, description: str = "") -> str:
        oid = hashlib.sha1(f"{len(self.commits)} {sorted(files)}".encode()).hexdigest()  # noqa: S324
        self.commits.append((oid, files))
        self.messages.append((message, description))
        return oid

    @property
    def files(self) -> Files:
        return self.commits[-1][1]

    @property
    def head(self) -> str:
        return self.commits[-1][0]

    def at(self, revision: str) -> tuple[str, Files] | None:
        oid = self.tags.get(revision, self.head if revision == "main" else revision)
        return next((commit for commit in self.commits if commit[0] == oid), None)


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        """``METHOD path`` of every request."""
        self.agents: set[str] = set()
        self.accepts: str | None = TOKEN
        self.writers = {"me"}
        """Owners that the token may write to."""
        self.ignored: set[str] = set()
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, start: str) -> int:
        return sum(request.startswith(start) for request in self.requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about connections that the faults broke."""


class _RefusedError(Exception):
    def __init__(self, status: int, code: str = "", message: str = "", url: str = "") -> None:
        self.status, self.code = status, code
        self.answer = {"error": message, "url": url}


class _Handler(BaseHTTPRequestHandler):
    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _serve(self) -> None:
        split = urlsplit(self.path)
        path, query = unquote(split.path), parse_qs(split.query)
        self.server.requests.append(f"{self.command} {path}")
        self.server.agents.add(self.headers["User-Agent"] or "")
        fault = self._take_fault(path)
        if fault == "cut":
            self.rfile.read(100)
            self.close_connection = True
            return
        body = self._read_body()
        if isinstance(fault, int):
            self._send(fault, {"error": "injected"})
            return
        try:
            with self.server.lock:
                answer = self._answer(path, query, body)
        except _RefusedError as refused:
            self._send(refused.status, refused.answer, code=refused.code)
            return
        if fault == "lose":
            self.close_connection = True
            return
        self._send(200, answer)

    def _take_fault(self, path: str) -> int | str | None:
        for fault in self.server.faults:
            if fault.method == self.command and fault.path in path:
                self.server.faults.remove(fault)
                return fault.answer
        return None

    def _read_body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, answer: object, code: str = "") -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if code:
            self.send_header("X-Error-Code", code)
        if isinstance(answer, bytes):
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", self._commit)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> object:
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return {"warnings": [], "errors": []}
        if path.startswith("/lfs/"):
            return self._store(path.removeprefix("/lfs/"), body)
        found = re.fullmatch(r"(?:/api)?/datasets/([^/]+/[^/]+?)(?:\.git)?(?:/(.*))?", path)
        if not found:
            raise _RefusedError(404)
        name, rest = found[1], found[2] or ""
        repository = self._find(name)
        verb, _, argument = rest.partition("/")
        if verb == "info":
            return self._batch(json.loads(body))
        return getattr(self, f"_do_{(verb or 'revision').replace('-', '_')}")(
            name, repository, argument, body
        )

    def _find(self, name: str) -> Repository:
        authorised = self._is_authorised()
        repository = self.server.repositories.get(name)
        if repository is None or (repository.private and not authorised):
            raise _RefusedError(404 if authorised else 401, "RepoNotFound", "Repository not found")
        if self.command in ("POST", "PUT") and not authorised:
            raise _RefusedError(401, message="Invalid username or password.")
        return repository

    def _is_authorised(self) -> bool:
        given = self.headers["Authorization"]
        if given is None:
            return False
        if given != f"Bearer {self.server.accepts}":
            raise _RefusedError(401, message=f"Invalid credentials: {given}")
        return True

    def _create(self, wanted: dict[str, Any]) -> object:
        if not self._is_authorised() or wanted["organization"] not in self.server.writers:
            raise _RefusedError(
                403, message=f"You don't have rights under {wanted['organization']}"
            )
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.server.repositories:
            url = f"{self.server.url}/datasets/{name}"
            raise _RefusedError(409, message="You already created this dataset repo", url=url)
        assert wanted["type"] == "dataset"
        self.server.repositories[name] = Repository(wanted.get("visibility") != "public")
        return {"url": f"{self.server.url}/datasets/{name}"}

    def _batch(self, wanted: dict[str, Any]) -> object:
        return {
            "objects": [
                one
                if one["oid"] in self.server.objects
                else {
                    **one,
                    "actions": {
                        "upload": {"href": f"{self.server.url}/lfs/{one['oid']}"},
                        "verify": {"href": f"{self.server.url}/lfs/verify"},
                    },
                }
                for one in wanted["objects"]
            ]
        }

    def _store(self, oid: str, body: bytes) -> object:
        if oid == "verify":
            wanted = json.loads(body)
            if len(self.server.objects.get(wanted["oid"], b"")) != wanted["size"]:
                raise _RefusedError(400, message="not what was uploaded")
            return {}
        if hashlib.sha256(body).hexdigest() != oid:
            raise _RefusedError(400, message="the content is not what the batch announced")
        self.server.objects[oid] = body
        return {}

    def _at(self, repository: Repository, revision: str) -> tuple[str, Files]:
        commit = repository.at(revision)
        if commit is None:
            raise _RefusedError(404, "RevisionNotFound")
        return commit

    def _do_revision(self, name: str, repository: Repository, revision: str, body: bytes) -> object:
        oid, files = self._at(repository, revision or "main")
        siblings = [{"rfilename": path} for path in files]
        return {
            "id": name, "sha": oid, "private": repository.private, "siblings": siblings,
            "tags": [], "downloads": 0, "likes": 0, "disabled": False, "gated": False,
        }  # fmt: skip

    def _do_refs(self, name: str, repository: Repository, argument: str, body: bytes) -> object:
        tags = [
            {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": oid}
            for tag, oid in repository.tags.items()
        ]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head}
        return {"branches": [main], "converts": [], "tags": tags}

    def _do_tree(self, name: str, repository: Repository, argument: str, body: bytes) -> object:
        revision, _, under = argument.partition("/")
        files = self._at(repository, revision)[1]
        if under and not any(path.startswith(f"{under}/") for path in files):
            raise _RefusedError(404, "EntryNotFound")
        recursive = "recursive=true" in self.path.lower()
        start = f"{under}/" if under else ""
        inside = [path for path in files if path.startswith(start)]
        folders = sorted({start + p.removeprefix(start).split("/")[0] for p in inside} - set(files))
        shown = [p for p in inside if recursive or "/" not in p.removeprefix(start)]
        return [
            *({"type": "directory", "path": folder, "oid": "0" * 40} for folder in folders),
            *(self._entry(repository, path, files[path]) for path in shown),
        ]

    def _do_paths_info(
        self, name: str, repository: Repository, argument: str, body: bytes
    ) -> object:
        files = self._at(repository, argument)[1]
        wanted = json.loads(body)["paths"] if body[:1] == b"{" else parse_qs(body.decode())["paths"]
        folders = {path.rpartition("/")[0] for path in files} - {""}
        return [
            self._entry(repository, path, files[path])
            if path in files
            else {"type": "directory", "path": path, "oid": "0" * 40}
            for path in wanted
            if path in files or path in folders
        ]

    def _entry(self, repository: Repository, path: str, content: bytes) -> dict[str, Any]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - as git does
        entry: dict[str, Any] = {
            "type": "file", "path": path, "size": len(content), "oid": blob,
        }  # fmt: skip
        if path in repository.lfs:
            oid = hashlib.sha256(content).hexdigest()
            entry |= {
                "oid": "f" * 40,
                "lfs": {"oid": oid, "size": len(content), "pointerSize": 130},
            }
        return entry

    def _do_preupload(
        self, name: str, repository: Repository, argument: str, body: bytes
    ) -> object:
        return {
            "files": [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith((".parquet", ".gz")) else "regular",
                    "shouldIgnore": one["path"] in self.server.ignored,
                    "oid": None,
                }
                for one in json.loads(body)["files"]
            ]
        }

    def _do_commit(self, name: str, repository: Repository, argument: str, body: bytes) -> object:
        lines = [json.loads(line) for line in body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit", repository.head) != repository.head:
            raise _RefusedError(412, message="A commit has happened since")
        files = dict(repository.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
                repository.lfs.discard(value["path"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
                repository.lfs.add(value["path"])
            else:
                del files[value["path"]]
        oid = repository.add(files, header["summary"], header["description"])
        return {"commitUrl": f"{self.server.url}/datasets/{name}/commit/{oid}", "commitOid": oid}

    def _do_tag(self, name: str, repository: Repository, revision: str, body: bytes) -> object:
        tag = json.loads(body)["tag"]
        if tag in repository.tags:
            raise _RefusedError(409, message="Tag exists")
        repository.tags[tag] = self._at(repository, revision)[0]
        return {}

    def _do_resolve(self, name: str, repository: Repository, argument: str, body: bytes) -> object:
        revision, _, path = argument.partition("/")
        self._commit, files = self._at(repository, revision)
        if path not in files:
            raise _RefusedError(404, "EntryNotFound")
        return files[path]


@contextmanager
def serve_hub() -> Generator[Hub]:
    with Hub() as hub:
        thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
