import pytest

from api.origins import BadName, Hosts, Origins, allowed_origin_of, host_of

LOCAL = "http://localhost:8000"
PUBLIC = "https://meilin.example"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("meilin.example", "meilin.example"),
        ("MEILIN.Example.", "meilin.example"),
        ("meilin.example.:0443", "meilin.example:443"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]:80"),
        ("a_b-c.example", "a_b-c.example"),
    ],
)
def test_spellings_of_a_host_are_one(given: str, host: str) -> None:
    assert host_of(given) == host


BAD = [
    "", ".", ":80", "a:", "a:b", "a:123456", "a b",
    " a", "a,b", "a/b", "u@a", "a@b:1", "[::1", "::1", "[::g]",
    "a..", "-a", "a'", 'a"', "a;b", "a\x00", "a\n", "美邻", "%61", "a\\b", "a" * 300, "http://a",
]  # fmt: skip


@pytest.mark.parametrize("given", BAD)
def test_what_is_no_host_is_nobodys(given: str) -> None:
    with pytest.raises(BadName):
        host_of(given)
    assert not Hosts(LOCAL, ()).ours([given])


@pytest.mark.parametrize("given", ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:9", "localhost."])
def test_on_this_machine_all_its_names_are_ours(given: str) -> None:
    for public in (LOCAL, "http://127.0.0.1:9000", "http://[::1]:80", "http://estate.localhost:8000"):
        assert Hosts(public, ()).ours([given])
    assert not Hosts(PUBLIC, ()).ours([given])


def test_elsewhere_only_the_public_name_and_those_allowed_are_ours() -> None:
    hosts = Hosts("https://Meilin.Example/", ("inner.example", "one.example:8080"))
    for name in (
        "meilin.example",
        "MEILIN.EXAMPLE.:443",
        "inner.example",
        "inner.example:99",
        "one.example:8080",
    ):
        assert hosts.ours([name]), name
    for name in ("one.example", "one.example:80", "x.meilin.example", "meilin.example.evil", "evil"):
        assert not hosts.ours([name]), name


def test_a_name_of_another_script_is_known_as_browsers_write_it() -> None:
    hosts = Hosts("https://美邻.example", ())
    assert hosts.ours(["美邻.example".encode("idna").decode()])


def test_a_request_names_one_host() -> None:
    hosts = Hosts(LOCAL, ())
    assert not hosts.ours([])
    assert not hosts.ours(["localhost", "localhost"])


def test_our_own_page_is_known_by_its_public_address_and_by_the_one_that_was_asked() -> None:
    origins = Origins("https://Meilin.Example:443/", ())
    assert origins.own("https://meilin.example", "http", "127.0.0.1:8000")
    assert origins.own("http://127.0.0.1:8000", "http", "127.0.0.1:8000")
    assert origins.own("http://a.example", "http", "a.example:80")
    for origin in (
        "http://meilin.example",
        "https://127.0.0.1:8000",
        "null",
        None,
        "https://x@meilin.example",
    ):
        assert not origins.own(origin, "http", "127.0.0.1:8000"), origin


def test_pages_elsewhere_may_ask_where_they_are_listed() -> None:
    assert Origins(LOCAL, ()).answer_to("https://app.example") is None
    listed = Origins(LOCAL, ("https://app.example", "http://localhost:5173"))
    assert listed.answer_to("https://app.example") == "https://app.example"
    assert listed.answer_to("http://localhost:5173") == "http://localhost:5173"
    for origin in ("http://app.example", "https://app.example:8443", "https://app.example.evil", "null", ""):
        assert listed.answer_to(origin) is None
    assert Origins(LOCAL, ("*",)).answer_to("null") == "*"


@pytest.mark.parametrize(
    ("given", "origin"),
    [("*", "*"), ("https://App.example/", "https://app.example"), ("http://a:80", "http://a")],
)
def test_an_origin_of_the_list_is_read(given: str, origin: str) -> None:
    assert allowed_origin_of(given) == origin


@pytest.mark.parametrize(
    "given",
    [
        "app.example",
        "null",
        "https://",
        "https://a/b",
        "https://*.a",
        "ftp://a",
        "https://u@a",
        "https://a?b",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(BadName):
        allowed_origin_of(given)
