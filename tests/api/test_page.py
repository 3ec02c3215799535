import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import page
from api.addresses import Address, Kind
from api.clock import utc_now
from api.finding import Found
from api.page import LANGUAGE, NOT_BUILT, Lookup, Pages
from api.sessions import COOKIE
from community.errors import Late
from community.places.reads import CommunityRow
from community.places.rules import Profile

INLINE = "document.documentElement.dataset.js = 'yes'"
INDEX = (
    f'<!doctype html><html lang="zh-CN"><script>{INLINE}</script><title>美邻</title>'
    '<script src="/assets/a-1.js"></script>'
)
EXPLORER = '<!doctype html><title>explorer</title><script type="module" src="/assets/b-1.js"></script>'


SPRING = CommunityRow(1, "spring", "春风里", "萧山区", 6, None, None, True, Profile(1, public_reading=True))


class Looks:
    """What stands where: 春风里 for everybody, 静园 for whoever holds the secret `member`."""

    def __init__(self) -> None:
        self.asked: list[Lookup] = []
        self.error: Exception | None = None

    async def __call__(self, asked: Lookup) -> Found | None:
        self.asked.append(asked)
        if self.error:
            raise self.error
        address, secret = asked
        if address.key is not None:
            return Found(Address(Kind.VOTE, "spring", 12), community=SPRING) if address.key == 1 else None
        if address.slug.lower() == "spring" and address.number < 20:
            return Found(replace(address, slug="spring"), community=SPRING)
        return Found(address, community=SPRING) if address.slug == "quiet" and secret == "member" else None


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX, encoding="utf-8")
    (tmp_path / "graphiql.html").write_text(EXPLORER, encoding="utf-8")
    (tmp_path / "assets" / "a-1.js").write_text("1", encoding="utf-8")
    (tmp_path / "assets" / "preview-vote.png").write_bytes(b"png")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return tmp_path


@pytest.fixture
def client(built: Path, looks: Looks) -> Iterator[TestClient]:
    pages = Pages("https://m.example", built, looks)
    app = Starlette(routes=pages.routes(), exception_handlers={404: pages.not_found})
    with TestClient(app, follow_redirects=False) as client:
        yield client


def without_head(text: str) -> str:
    """The file as it was built, whatever was said of one address."""
    return re.sub(r"<title>.*(?=<script src)", "<title>美邻</title>", text, flags=re.DOTALL)


ADDRESSES = ["/", "/c/spring", "/c/spring/v/12", "/c/spring/e/3", "/c/spring/ledger", "/c/spring/publish"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_bulletin_is_the_one_page(client: TestClient, address: str) -> None:
    response = client.get(address)
    assert (response.status_code, without_head(response.text)) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["vary"] == "Accept-Language, Cookie"
    assert f'<link rel="canonical" href="https://m.example{address}" />' in response.text
    assert client.head(address).status_code == 200


NOTHING = [
    "/c/nowhere",
    "/c/spring/v/20",
    "/c/quiet",
    "/c/quiet/v/1",
    "/c/quiet/ledger",
    "/c/spring/ledger?month=2026-13",
]
NOTHING += [
    "/c",
    "/c/spring/x",
    "/c/spring/v",
    "/c/spring/v/0",
    "/c/spring/v/012",
    "/c/spring/v/1/2",
    "/c/%E0%A4%A",
    "/c/%00",
]
NOTHING += [
    "/c/spring/votes/nonsense",
    "/c/spring/votes/Vm90ZToy",
    "/c/spring/votes/UXVlc3Rpb246MQ==",
    "/c/" + "x" * 65,
]


@pytest.mark.parametrize("address", NOTHING)
def test_what_is_not_there_and_what_is_hidden_are_the_same_404(client: TestClient, address: str) -> None:
    response, nowhere = (client.get(one, headers={"accept": "text/html"}) for one in (address, "/nowhere"))
    assert (response.status_code, response.text) == (404, nowhere.text)
    assert without_head(response.text) == INDEX
    assert response.headers["etag"] == nowhere.headers["etag"]
    assert "canonical" not in response.text
    assert '<meta name="robots" content="noindex" />' in response.text
    assert client.head(address, headers={"accept": "text/html"}).status_code == 404


def test_who_may_read_a_hidden_community_gets_its_page_which_says_nothing_of_it(client: TestClient) -> None:
    client.cookies[COOKIE] = "member"
    response = client.get("/c/quiet/v/1")
    assert response.status_code == 200
    assert "春风里" not in response.text
    assert "canonical" not in response.text
    client.cookies[COOKIE] = "other"
    assert client.get("/c/quiet/v/1").status_code == 404


@pytest.mark.parametrize(
    ("asked", "own"),
    [
        ("/c/spring/", "/c/spring"),
        ("//c//spring", "/c/spring"),
        ("/C/spring", "/c/spring"),
        ("/c/SPRING/V/12", "/c/spring/v/12"),
        ("/c/%73pring", "/c/spring"),
        ("/c/spring/ledger/?month=2026-05", "/c/spring/ledger?month=2026-05"),
        ("/c/spring/?utm_source=wechat&x=%3D", "/c/spring?utm_source=wechat&x=%3D"),
        ("/c/spring/votes/Vm90ZTox", "/c/spring/v/12"),
        ("/c/quiet/votes/Vm90ZTox?step=review", "/c/spring/v/12?step=review"),
        ("/c/nowhere/events/Vm90ZTox/", "/c/spring/v/12"),
        ("/c/x/votes/RXZlbnQ6MQ%3D%3D", "/c/spring/v/12"),
        ("/c/x/votes/RXZlbnQ6MQ==", "/c/spring/v/12"),
    ],
)
def test_another_way_to_write_it_leads_to_its_one_address(client: TestClient, asked: str, own: str) -> None:
    for method in ("GET", "HEAD"):
        response = client.request(method, f"http://testserver{asked}")
        assert (response.status_code, response.headers["location"]) == (301, own)
        assert response.headers["cache-control"] == "no-cache"
    assert client.get(own).status_code == 200


def test_where_somebody_came_from_does_not_matter_and_is_not_passed_on(client: TestClient) -> None:
    response = client.get("/c/spring/v/12?utm_source=x&from=singlemessage&step=review")
    assert response.status_code == 200
    assert 'href="https://m.example/c/spring/v/12"' in response.text
    ledger = client.get("/c/spring/ledger?from=x&month=2026-05")
    assert 'href="https://m.example/c/spring/ledger?month=2026-05"' in ledger.text


def test_what_many_ask_for_is_looked_for_once(client: TestClient, looks: Looks) -> None:
    for _ in range(5):
        client.get("/c/spring/v/12")
        client.get("/c/spring/v/12?utm_source=x")
        client.get("/c/nowhere")
        client.get("/")
    assert len(looks.asked) == 2


@pytest.mark.parametrize("cookie", ["", "x" * 129, "x" * 20_000, "\u00e9"])
def test_a_cookie_that_can_be_no_secret_is_not_looked_up(
    client: TestClient, looks: Looks, cookie: str
) -> None:
    assert (
        client.get("/c/quiet", headers={"cookie": f"{COOKIE}={cookie}".encode("latin-1")}).status_code == 404
    )  # type: ignore[dict-item]
    assert [secret for _, secret in looks.asked] == [None]


def test_no_secret_is_kept_of_what_was_asked(built: Path, looks: Looks) -> None:
    pages = Pages("https://m.example", built, looks)
    with TestClient(Starlette(routes=pages.routes())) as client:
        for cookie, status in (("member", 200), ("x" * 128, 404)):
            for _ in range(2):
                response = client.get("/c/quiet", headers={"cookie": f"{COOKIE}={cookie}"})
                assert response.status_code == status
    keys = list(pages._brief._known)
    assert len(keys) == 3
    assert "member" not in str(keys)
    assert "x" * 128 not in str(keys)


@pytest.mark.parametrize("error", [TimeoutError(), Late()])
def test_while_the_database_does_not_answer_the_page_comes_and_says_so_itself(
    client: TestClient, looks: Looks, error: Exception
) -> None:
    looks.error = error
    response = client.get("/c/spring/v/12")
    assert (response.status_code, without_head(response.text)) == (200, INDEX)
    assert "canonical" not in response.text
    looks.error = None
    assert "canonical" in client.get("/c/spring/v/12").text, "it is asked again"


def test_a_fault_of_ours_is_none_of_the_database(client: TestClient, looks: Looks) -> None:
    looks.error = KeyError("x")
    with pytest.raises(KeyError):
        client.get("/c/spring/v/12")


@pytest.mark.parametrize(
    ("chosen", "accepted", "tag"),
    [
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh-CN"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "", "zh-CN"),
        ("x", "en", "en"),
    ],
)
def test_the_language_stands_before_any_script(
    client: TestClient, chosen: str, accepted: str, tag: str
) -> None:
    client.cookies[LANGUAGE] = chosen
    text = client.get("/", headers={"accept-language": accepted}).text
    assert f'<html lang="{tag}"' in text
    assert ("notice board" in text) == (tag == "en")


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


def test_pictures_of_previews_are_kept_for_a_day(client: TestClient) -> None:
    response = client.get("/assets/preview-vote.png")
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "public, max-age=86400"


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
    assert (person.status_code, without_head(person.text)) == (404, INDEX)
    program = client.get("/nowhere", headers={"accept": "application/json"})
    assert (program.status_code, program.text) == (404, "Not Found\n")


def test_a_deploy_shows_at_once(client: TestClient, built: Path) -> None:
    before = client.get("/")
    again = client.get("/", headers={"if-none-match": before.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    (built / "index.html").write_text("<!doctype html>new", encoding="utf-8")
    after = client.get("/")
    assert (after.status_code, after.text) == (200, "<!doctype html>new")


def test_before_the_page_is_built_it_says_what_to_do(tmp_path: Path) -> None:
    pages = Pages("https://m.example", tmp_path / "none", Looks())
    with TestClient(Starlette(routes=pages.routes())) as client:
        for address in ("/", "/c/spring", "/graphiql"):
            response = client.get(address)
            assert (response.status_code, response.text) == (503, NOT_BUILT)
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
