import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import page
from api.clock import utc_now

INLINE = "document.documentElement.dataset.js = 'yes'"
INDEX = f'<!doctype html><html lang="zh-CN"><script>{INLINE}</script><script src="/assets/a-1.js"></script>'
EXPLORER = '<!doctype html><title>explorer</title><script type="module" src="/assets/b-1.js"></script>'


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX, encoding="utf-8")
    (tmp_path / "graphiql.html").write_text(EXPLORER, encoding="utf-8")
    (tmp_path / "assets" / "a-1.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    monkeypatch.setattr(page, "BUILT", tmp_path)
    return tmp_path


@pytest.fixture
def client(built: Path) -> Iterator[TestClient]:
    app = Starlette(routes=page.routes(built), exception_handlers={404: page.not_found})
    with TestClient(app) as client:
        yield client


ADDRESSES = ["/", "/c/spring", "/c/spring/votes/42", "/c/spring/events/42", "/c/spring/ledger", "/c/春风里"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_bulletin_is_the_one_page(client: TestClient, address: str) -> None:
    response = client.get(address)
    assert (response.status_code, response.text) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split("; "))}


def test_the_page_runs_only_our_own_scripts_and_the_inline_ones_it_has(client: TestClient) -> None:
    policy = directives(client.get("/").headers["content-security-policy"])
    digest = base64.b64encode(hashlib.sha256(INLINE.encode()).digest()).decode()
    assert policy["default-src"] == ["'self'"]
    assert policy["script-src"] == ["'self'", f"'sha256-{digest}'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["worker-src"] == policy["manifest-src"] == ["'self'"]
    assert directives(client.get("/graphiql").headers["content-security-policy"])["script-src"] == ["'self'"]


@pytest.mark.parametrize("address", ["/", "/graphiql", "/nowhere"])
def test_every_page_is_guarded(client: TestClient, address: str) -> None:
    headers = client.get(address, headers={"accept": "text/html"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    for name in ("camera", "microphone", "geolocation"):
        assert f"{name}=()" in headers["permissions-policy"].split(", ")
    sources = directives(headers["content-security-policy"])["connect-src"]
    assert sources == ["'self'", "ws://testserver", "wss://testserver"]  # our host alone, as it was asked for


def test_the_explorer_is_a_page_of_its_own(client: TestClient) -> None:
    response = client.get("/graphiql")
    assert (response.status_code, response.text) == (200, EXPLORER)
    assert "blob:" in directives(response.headers["content-security-policy"])["worker-src"]


def test_assets_carry_a_hash_and_are_kept_for_ever(client: TestClient) -> None:
    response = client.get("/assets/a-1.js")
    assert (response.status_code, response.text) == (200, "1")
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "address",
    ["/assets/none.js", "/assets/../secret.txt", "/assets/%2e%2e/secret.txt", "/assets/", "/secret.txt"],
)
def test_there_is_nothing_else_to_be_had(client: TestClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert "secret" not in response.text
    assert "immutable" not in response.headers.get("cache-control", "")


def test_an_address_of_nothing_shows_people_the_page_and_programs_a_line(client: TestClient) -> None:
    person = client.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8"})
    assert (person.status_code, person.text) == (404, INDEX)
    program = client.get("/nowhere", headers={"accept": "application/json"})
    assert (program.status_code, program.text) == (404, "Not Found\n")


def test_a_deploy_shows_at_once(client: TestClient, built: Path) -> None:
    client.get("/")
    (built / "index.html").write_text("<!doctype html>new", encoding="utf-8")
    after = client.get("/")
    assert (after.status_code, after.text) == (200, "<!doctype html>new")


def test_before_the_page_is_built_it_says_what_to_do(tmp_path: Path) -> None:
    with TestClient(Starlette(routes=page.routes(tmp_path / "none"))) as client:
        for address in ("/", "/c/spring", "/graphiql"):
            response = client.get(address)
            assert (response.status_code, response.text) == (503, page.NOT_BUILT)
        assert client.get("/assets/a-1.js").status_code == 404


@pytest.mark.parametrize("name", page.ROOT)
def test_what_browsers_want_by_a_name_that_stays_is_asked_for_anew(
    client: TestClient, built: Path, name: str
) -> None:
    assert client.get(f"/{name}", headers={"accept": "text/html"}).status_code == 404
    (built / "icons").mkdir(exist_ok=True)
    (built / name).write_bytes(b"1")
    response = client.get(f"/{name}")
    assert (response.status_code, response.content) == (200, b"1")
    assert response.headers["content-type"].partition(";")[0] == page.ROOT[name]
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accept", ["*/*", "text/html,*/*;q=0.8", "text/javascript"])
@pytest.mark.parametrize("name", ["Vote-gone.js", "Vote-gone.css", "zh-gone.js", "", "index.html"])
def test_a_file_of_a_release_that_is_gone_is_never_the_page(
    client: TestClient, name: str, accept: str
) -> None:
    response = client.get(f"/assets/{name}", headers={"accept": accept})
    assert (response.status_code, response.text) == (404, "Not Found\n")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2026, 10, 16, 15, 59, tzinfo=UTC), "10 月 16 日 星期五"),
        (datetime(2026, 10, 16, 16, 0, tzinfo=UTC), "10 月 17 日 星期六"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "1 月 1 日 星期五"),
    ],
)
def test_the_day_stands_on_the_paper_before_any_script(now: datetime, said: str) -> None:
    assert page.today(now) == said


def test_the_built_page_has_its_name_and_a_place_for_the_day(client: TestClient, built: Path) -> None:
    source = Path(page.HOME / "frontend" / "index.html").read_text(encoding="utf-8")
    (built / "index.html").write_text(source, encoding="utf-8")
    before_any_script = client.get("/").text.partition('<script type="module"')[0]
    assert page.today(utc_now()) in before_any_script
    assert "<noscript>" in before_any_script
    assert "美邻" in before_any_script.partition("<body>")[2]
    assert "<style" not in before_any_script
    assert " style=" not in before_any_script
