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
        ("MEILIN_SMTP_URL", "smtp://mail.example", "and MEILIN_OPERATOR_MAIL belong together"),
        ("MEILIN_PUBLIC_URL", "meilin.example", "is like https://meilin.example"),
        ("MEILIN_PUBLIC_URL", "ftp://meilin.example", "is like https://meilin.example"),
        ("MEILIN_ALLOWED_HOSTS", "a.example, https://b.example", "is a list .*, not https://b.example"),
        ("MEILIN_ALLOWED_HOSTS", "*", "is a list"),
        ("MEILIN_ALLOWED_ORIGINS", "app.example", "is a list .*, not app.example"),
        ("MEILIN_ALLOWED_ORIGINS", "https://app.example/page", "is a list"),
        ("MEILIN_ALLOWED_ORIGINS", "https://*.example", "is a list"),
        ("MEILIN_CONNECTIONS", "0", "is a number from 10"),
        ("MEILIN_CONNECTIONS_PER_ADDRESS", "none", "is a number from 1"),
        ("MEILIN_SIGN_INS_PER_ADDRESS", "-1", "is a number from 1"),
        ("MEILIN_COMPILED", "no", "is on or off"),
        ("MEILIN_KEPT_ANSWERS", "-1", "is a number from 0"),
        ("MEILIN_KEPT_ANSWERS", "1e6", "is a number from 0"),
        ("MEILIN_KEPT_ANSWERS", "off", "is a number from 0"),
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


def test_lists_have_commas_or_spaces_and_one_spelling() -> None:
    settings = Settings.from_environment(
        {
            "MEILIN_ALLOWED_HOSTS": "Inner.example, [0::1]:80,,inner.example",
            "MEILIN_ALLOWED_ORIGINS": "https://App.example:443 http://localhost:5173/",
        }
    )
    assert settings.allowed_hosts == ("inner.example", "[::1]:80")
    assert settings.allowed_origins == ("https://app.example", "http://localhost:5173")
    assert Settings.from_environment({"MEILIN_ALLOWED_ORIGINS": "*"}).allowed_origins == ("*",)
    assert Settings().allowed_origins == Settings().allowed_hosts == ()


def test_a_switch_is_on_or_off() -> None:
    for value, meant in {"on": True, "off": False, "": True}.items():
        assert Settings.from_environment({"MEILIN_COMPILED": value}).compiled is meant


def test_answers_are_kept_in_so_many_bytes_or_not_at_all() -> None:
    for value, meant in {"": 32 * 1024 * 1024, "0": 0, "1000": 1000}.items():
        assert Settings.from_environment({"MEILIN_KEPT_ANSWERS": value}).kept_answers == meant


@pytest.mark.parametrize(
    ("url", "mail", "said"),
    [
        ("mail.example:25", "night@meilin.example", "MEILIN_SMTP_URL is like"),
        ("smtp://", "night@meilin.example", "MEILIN_SMTP_URL is like"),
        ("smtp://mail.example:port", "night@meilin.example", "MEILIN_SMTP_URL is like"),
        ("", "night@meilin.example", "MEILIN_SMTP_URL and MEILIN_OPERATOR_MAIL belong together"),
        ("smtps://mail.example", "night", "MEILIN_OPERATOR_MAIL is one address"),
        ("smtps://mail.example", "a@b.example, c@d.example", "MEILIN_OPERATOR_MAIL is one address"),
    ],
)
def test_mail_that_could_not_be_sent_is_refused(url: str, mail: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        Settings.from_environment({"MEILIN_SMTP_URL": url, "MEILIN_OPERATOR_MAIL": mail})


def test_mail_has_a_server_and_an_operator() -> None:
    settings = Settings.from_environment(
        {"MEILIN_SMTP_URL": "smtp://a:b@mail.example:587", "MEILIN_OPERATOR_MAIL": "night@meilin.example"}
    )
    assert settings.operator_mail == "night@meilin.example"
