from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.errors import InputError
from server.settings import PREFIX, Settings, unknown_variables
from server.settings_page import settings_page

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"DARKROOM_DATA": str(tmp_path)}


def write(folder: Path, text: str) -> Path:
    path = folder / "darkroom.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(environment: dict[str, str], flags: dict[str, object] | None = None) -> InputError:
    with pytest.raises(InputError) as told:
        Settings.read(environment, flags)
    return told.value


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.read({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.nodes) == ("127.0.0.1", 8188, "nodes")
    assert settings.data.is_absolute()


def test_flags_go_before_the_environment_and_that_before_the_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write(tmp_path, 'port = 1001\nhost = "::1"\nlog_level = "debug"')
    environment |= {"DARKROOM_PORT": "1002", "DARKROOM_HOST": "127.0.0.2"}
    settings = Settings.read(environment, {"port": "1003", "browser": None})
    assert (settings.port, settings.host, settings.log_level) == (1003, "127.0.0.2", "debug")
    assert settings.browser


def test_an_empty_variable_sets_nothing(environment: dict[str, str]) -> None:
    assert Settings.read(environment | {"DARKROOM_NODES": ""}).nodes == "nodes"


def test_sizes_have_units(tmp_path: Path, environment: dict[str, str]) -> None:
    write(tmp_path, 'max_body = "32 MB"\nworker_memory = 1000')
    settings = Settings.read(environment | {"DARKROOM_STORE_SIZE": "500MB"})
    assert settings.store_size == 500 * 10**6
    assert settings.max_body == 32 * 10**6
    assert settings.worker_memory == 1000


def test_lists_have_commas_in_variables_and_brackets_in_the_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write(tmp_path, 'trusted_proxies = ["10.0.0.0/8", "::1"]')
    settings = Settings.read(environment | {"DARKROOM_ALLOWED_HOSTS": "a.example, b.example,"})
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")


def test_the_environment_may_name_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = write(other, 'data = "kept"\ntls_cert = "cert.pem"\ntls_key = "/keys/key.pem"')
    settings = Settings.read({"DARKROOM_CONFIG": str(path)})
    assert settings.data == other / "kept"
    assert settings.tls_cert == other / "cert.pem"
    assert settings.tls_key == Path("/keys/key.pem")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert str(missing) in str(refused({"DARKROOM_CONFIG": str(missing)}))


def test_an_unknown_key_is_told_with_its_file_and_the_nearest(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    path = write(tmp_path, "prot = 80")
    error = refused(environment)
    assert (error.code, error.input) == ("bad_settings", "prot")
    assert str(error) == f"{path}: there is no setting 'prot'"
    assert error.hint == "did you mean port?"


def test_a_bad_value_is_told_with_its_place(tmp_path: Path, environment: dict[str, str]) -> None:
    path = write(tmp_path, "port = 70000")
    error = refused(environment)
    assert str(error) == f"{path}: port: input should be less than or equal to 65535"
    assert error.hint == "port: The port to listen on; 0 takes one that is free."


def test_a_bad_value_is_told_with_the_place_that_counts(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write(tmp_path, 'port = 8000\nhost = ""')
    error = refused(environment | {"DARKROOM_PORT": "eighty"}, {"port": "ninety", "host": "::1"})
    assert str(error).startswith("--port: ")
    error = refused(environment | {"DARKROOM_PORT": "eighty"}, {"host": "::1"})
    assert str(error).startswith("DARKROOM_PORT: ")
    assert str(refused(environment)).startswith(f"{tmp_path / 'darkroom.toml'}: host: ")


def test_only_what_is_read_counts_not_the_environment_of_the_process(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "1001")
    assert Settings(data=tmp_path).port == 8188
    assert Settings.read(environment).port == 8188
    assert Settings.read().port == 1001


def test_keys_are_written_as_they_are_listed(tmp_path: Path, environment: dict[str, str]) -> None:
    write(tmp_path, "Port = 80")
    assert refused(environment).input == "Port"
    assert Settings.read({"darkroom_port": "80"}).port == 8188


def test_a_file_that_is_a_folder_is_told(tmp_path: Path) -> None:
    assert str(tmp_path) in str(refused({"DARKROOM_CONFIG": str(tmp_path)}))


def test_a_file_that_is_no_toml_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    path = write(tmp_path, "port 80")
    assert str(path) in str(refused(environment))


def test_data_cannot_be_set_by_the_file_in_it(tmp_path: Path, environment: dict[str, str]) -> None:
    write(tmp_path, 'data = "/elsewhere"')
    assert refused(environment).input == "data"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", "eighty"),
        ("port", "-1"),
        ("store_size", "big"),
        ("max_depth", "1"),
        ("max_depth", "100000"),
        ("rate", "nan"),
        ("heartbeat_seconds", "0"),
        ("heartbeat_seconds", "inf"),
        ("log_level", "loud"),
        ("results", "public"),
        ("workers", "gpu"),
        ("workers", "0"),
        ("workers", "65"),
        ("workers", "cpu,,cpu"),
        ("workers", "ray://"),
        ("workers", "ray:"),
        ("workers", "ray:head"),
        ("workers", "rays"),
        ("stall_seconds", "-1"),
        ("worker_runs", "few"),
        ("trusted_proxies", "10.0.0.0/8,proxy"),
        ("browser", "perhaps"),
    ],
)
def test_a_bad_value_is_told_with_its_variable(
    environment: dict[str, str], key: str, value: str
) -> None:
    variable = f"DARKROOM_{key.upper()}"
    error = refused(environment | {variable: value})
    assert str(error).startswith(f"{variable}: ")
    assert error.input == key


def test_a_bad_flag_is_told_as_a_flag(environment: dict[str, str]) -> None:
    assert str(refused(environment, {"max_nodes": "none"})).startswith("--max-nodes: ")


@pytest.mark.parametrize(
    "workers",
    [
        "auto",
        "2",
        "64",
        "cpu",
        "cuda",
        "cuda:0,cuda:1",
        "cuda:0, cuda:1",
        "cpu,auto",
        "ray",
        "ray://head:10001",
        "ray:head:6379",
        "ray:auto",
    ],
)
def test_workers_are_named_in_several_ways(environment: dict[str, str], workers: str) -> None:
    assert Settings.read(environment | {"DARKROOM_WORKERS": workers}).workers == workers


def test_a_number_of_workers_may_be_a_number(tmp_path: Path, environment: dict[str, str]) -> None:
    write(tmp_path, "workers = 2")
    assert Settings.read(environment).workers == "2"


def test_a_short_secret_is_refused_and_not_repeated(environment: dict[str, str]) -> None:
    error = refused(environment | {"DARKROOM_ADMIN_TOKEN": "hunter2"})
    assert "16 characters" in str(error)
    assert "hunter2" not in f"{error}{error.hint}"


def test_secrets_are_not_shown(environment: dict[str, str]) -> None:
    secret = "correct horse battery".replace(" ", "-")
    url = f"postgresql://darkroom:{secret}@db/darkroom"
    settings = Settings.read(
        environment
        | {
            "DARKROOM_ADMIN_TOKEN": secret,
            "DARKROOM_WEBHOOK_SECRET": secret,
            "DARKROOM_DATABASE": url,
        }
    )
    assert settings.admin_token == SecretStr(secret)
    assert settings.database_url == url
    assert secret not in repr(settings)
    assert secret not in str(settings)


def test_a_certificate_needs_its_key(environment: dict[str, str]) -> None:
    assert "tls_key" in str(refused(environment | {"DARKROOM_TLS_CERT": "cert.pem"}))
    assert "tls_cert" in str(refused(environment | {"DARKROOM_TLS_KEY": "key.pem"}))


def test_jobs_are_kept_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).database_url == str(tmp_path / "darkroom.db")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().__setattr__("port", 1)


def test_a_misspelt_variable_is_found() -> None:
    environment = {"DARKROOM_PROT": "1", "DARKROOM_PORT": "1", "DARKROOM_CONFIG": "", "HOME": "/"}
    assert unknown_variables(environment) == ["DARKROOM_PROT"]


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_page_is_up_to_date() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert text == settings_page(), "run python -m server.settings_page > docs/settings.md"


def test_the_page_lists_every_setting() -> None:
    page = settings_page()
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in page] == []
    assert PREFIX in page
