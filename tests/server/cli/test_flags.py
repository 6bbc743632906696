from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import InputError
from server.cli.flags import with_flags
from server.settings import Settings

app = typer.Typer()


@app.command()
@with_flags
def serve(*, flags: dict[str, object], hurry: bool = False) -> None:
    """Serve."""
    settings = Settings.read({}, flags)
    typer.echo(f"{settings.port} {settings.browser} {settings.allowed_hosts} {hurry}")


def test_every_setting_is_a_flag(tmp_path: Path) -> None:
    given = ["--port", "9000", "--no-browser", "--allowed-hosts", "a,b", "--hurry"]
    result = CliRunner().invoke(app, ["--data", str(tmp_path), *given])
    assert result.stdout.strip() == "9000 False ('a', 'b') True"


def test_flags_are_explained() -> None:
    out = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    assert "--store-size" in out
    assert "The port to listen on; 0 takes one that is free." in out
    assert "DARKROOM_STORE_SIZE" in out


def test_a_flag_that_will_not_do_is_told_by_the_settings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--port"):
        CliRunner().invoke(app, ["--data", str(tmp_path), "--port", "x"], catch_exceptions=False)
