"""Hub models: pinned to a commit, fetched without pickle, never replaced by another."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tiny_base import model_config, write_base

from groundwork.base import describe, find_files, load_base, resolve_hub, write_info
from groundwork.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """The two routes of a model hub that are needed, over a folder."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
        self.gated = False


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if self.server.gated:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"}, body=body)
        elif path.startswith("/api/models/me/tiny/revision/gone"):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body=body)
        elif path.startswith("/api/models/me/tiny/tree/"):
            tree = [
                {"type": "file", "path": n, "size": len(d), "oid": COMMIT}
                for n, d in sorted(self.server.files.items())
            ]
            self._send(200, json.dumps(tree).encode(), {}, body=body)
        elif path.startswith("/api/models/me/tiny"):
            siblings = [{"rfilename": name} for name in sorted(self.server.files)]
            info = {"id": "me/tiny", "modelId": "me/tiny", "sha": COMMIT, "siblings": siblings}
            self._send(200, json.dumps(info).encode(), {}, body=body)
        elif path.startswith(f"/me/tiny/resolve/{COMMIT}/"):
            data = self.server.files[path.rpartition("/")[2]]
            etag = f'"{hashlib.sha256(data).hexdigest()}"'
            self._send(200, data, {"ETag": etag, "X-Repo-Commit": COMMIT}, body=body)
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body=body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a small model, with pickled weights and code beside them."""
    folder = write_base(tmp_path_factory.mktemp("hub")) / "model"
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / "modeling_tiny.py").write_text("raise SystemExit")
    return folder


@pytest.fixture
def hub(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on loopback with an empty cache on our side."""
    server = Hub(model_folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _point_at(monkeypatch, f"http://127.0.0.1:{server.server_port}", tmp_path / "cache")
    yield server
    server.shutdown()
    server.server_close()


def _point_at(monkeypatch: pytest.MonkeyPatch, url: str, cache_dir: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache_dir))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


def test_hub_model_is_pinned_and_holds_no_pickle(hub: Hub) -> None:
    """The newest commit is recorded; only safetensors, JSON and tokenizer files are fetched."""
    folder, revision = resolve_hub(model_config(kind="hub", hub_id="me/tiny"))
    assert revision == COMMIT
    names = find_files(folder)
    assert "model.safetensors" in names
    assert not {p.suffix for p in folder.iterdir()} & {".bin", ".py"}


def test_pinned_model_needs_no_hub_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once fetched, a commit is found in the cache when the hub is down."""
    model = model_config(kind="hub", hub_id="me/tiny", revision=COMMIT)
    first = resolve_hub(model)
    hub.shutdown()
    hub.server_close()
    assert resolve_hub(model) == first


def test_hub_model_is_loaded_from_what_base_json_pins(hub: Hub, tmp_path: Path) -> None:
    """base.json alone leads to the files, and their checksums are compared."""
    model = model_config(name="tiny", kind="hub", hub_id="me/tiny")
    folder, revision = resolve_hub(model)
    info = describe(folder, find_files(folder), model=model, revision=revision)
    write_info(tmp_path, info)
    _, _, loaded = load_base(tmp_path)
    assert (loaded.hub_id, loaded.revision) == ("me/tiny", COMMIT)


def test_unknown_model_is_an_error(hub: Hub) -> None:
    """No other model takes its place."""
    with pytest.raises(InputError, match=r"model\.hub_id=me/other: the hub knows no such model"):
        resolve_hub(model_config(kind="hub", hub_id="me/other"))


def test_unknown_revision_is_an_error(hub: Hub) -> None:
    """The message tells it from an unknown model."""
    with pytest.raises(InputError, match=r"model\.revision=gone: .*not this revision"):
        resolve_hub(model_config(kind="hub", hub_id="me/tiny", revision="gone"))


def test_model_behind_a_licence_is_an_error(hub: Hub) -> None:
    """The way out is to accept it and log in."""
    hub.gated = True
    with pytest.raises(InputError, match="accept the licence"):
        resolve_hub(model_config(kind="hub", hub_id="me/tiny"))


def test_hub_out_of_reach_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline and nothing cached: one line with three ways out."""
    _point_at(monkeypatch, "http://127.0.0.1:9", tmp_path)
    for revision in (None, COMMIT):
        with pytest.raises(InputError, match=r"cannot be reached.*model=embedded"):
            resolve_hub(model_config(kind="hub", hub_id="me/tiny", revision=revision))


def test_hub_id_that_is_no_id_is_an_error(hub: Hub) -> None:
    """Blanks and slashes are told before anything is asked."""
    with pytest.raises(InputError, match="expected owner/name"):
        resolve_hub(model_config(kind="hub", hub_id="a/b/c d"))


def test_hub_model_without_id_is_an_error() -> None:
    """The configuration says hub, and not which."""
    with pytest.raises(InputError, match="hub_id is null"):
        resolve_hub(model_config(kind="hub"))


def test_local_folder_is_taken_as_it_is(model_folder: Path, tmp_path: Path) -> None:
    """No revision; the sha256 of its files is its identity."""
    copy = shutil.copytree(model_folder, tmp_path / "tiny")
    folder, revision = resolve_hub(model_config(kind="hub", hub_id=str(copy)))
    assert (folder, revision) == (copy, "")


def test_missing_local_folder_is_an_error(tmp_path: Path) -> None:
    """A path is never looked up on the hub."""
    with pytest.raises(InputError, match="no such folder"):
        resolve_hub(model_config(kind="hub", hub_id=str(tmp_path / "none")))
