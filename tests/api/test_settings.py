import pytest

from api.settings import HOME, BadSetting, Settings


def test_without_anything_it_runs_on_an_embedded_database_here() -> None:
    settings = Settings.from_environment({})
    assert settings.database_url.startswith(f"sqlite:///{HOME}/var/")
    assert settings.public_url == "http://localhost:8000"


def test_a_setting_is_an_environment_variable_of_its_name() -> None:
    settings = Settings.from_environment(
        {"MEILIN_DATABASE_URL": "postgres://db/meilin", "MEILIN_PUBLIC_URL": "https://meilin.example"}
    )
    assert (settings.database_url, settings.public_url) == ("postgres://db/meilin", "https://meilin.example")


def test_an_empty_variable_is_none_at_all() -> None:
    assert Settings.from_environment({"MEILIN_DATABASE_URL": ""}) == Settings.from_environment({})


def test_what_is_not_ours_is_left_alone() -> None:
    assert Settings.from_environment({"PATH": "/bin", "DATABASE_URL": "x"}) == Settings.from_environment({})


def test_a_slip_in_a_name_is_refused_and_the_names_are_said() -> None:
    with pytest.raises(
        BadSetting, match=r"unknown setting MEILIN_DATABSE_URL; there are .*MEILIN_DATABASE_URL"
    ):
        Settings.from_environment({"MEILIN_DATABSE_URL": "sqlite:///x"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MEILIN_DATABASE_URL", "mysql://db/meilin", "begins with sqlite:///"),
        ("MEILIN_REDIS_URL", "localhost:6379", "begins with redis://"),
        ("MEILIN_LOG_LEVEL", "loud", "is DEBUG or INFO"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} {said}"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("url", "secure"), [("https://meilin.example", True), ("http://localhost:8000", False)]
)
def test_cookies_insist_on_tls_where_there_is_tls(url: str, secure: bool) -> None:
    assert Settings(public_url=url).secure is secure
