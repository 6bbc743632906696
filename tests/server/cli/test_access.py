import asyncio
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from server.access.tokens import FORM
from server.access.users import find_user
from server.cli.access import tokens, users
from server.database.database import Database
from tests.server.conftest import Said

app = typer.Typer()
app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")


class Commands:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, typed: str = "") -> Said:
        environment = {"DARKROOM_DATA": str(self.folder)}
        result = CliRunner().invoke(app, arguments, env=environment, input=typed)
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str, typed: str = "") -> Any:
        return self(*arguments, "--json", typed=typed).json


@pytest.fixture
def darkroom(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


def test_a_user_comes_and_goes(darkroom: Commands) -> None:
    made = darkroom.json("users", "add", "alice", "--password-stdin", typed="correct horse\n")
    assert (made["user"], made["scopes"]) == ("alice", ["read", "run", "write"])
    darkroom("users", "add", "robot", "--scopes", "read", "--no-password")
    found = darkroom.json("users", "list")["users"]
    assert [(each["user"], each["login"]) for each in found] == [
        ("alice", "password"),
        ("robot", "tokens only"),
    ]
    assert "alice" in darkroom("users", "list").out
    assert darkroom("users", "remove", "alice").status == 0
    assert darkroom.json("users", "remove", "alice")["error"]["code"] == "no_user"


def test_a_token_is_shown_once(darkroom: Commands) -> None:
    darkroom("users", "add", "alice", "--no-password")
    text = darkroom("tokens", "add", "alice", "--label", "script", "--days", "7").out.strip()
    assert FORM.fullmatch(text)
    (listed,) = darkroom.json("tokens", "list")["tokens"]
    assert (listed["label"], listed["user"]) == ("script", "alice")
    assert listed["expires"] > listed["created"]
    assert text not in darkroom("tokens", "list").out
    assert darkroom("tokens", "remove", listed["id"]).status == 0
    assert darkroom.json("tokens", "list", "alice") == {"tokens": []}


def test_faults_are_told(darkroom: Commands) -> None:
    for arguments, code in (
        (("users", "add", "../alice", "--no-password"), "bad_user"),
        (("users", "add", "alice", "--scopes", "root", "--no-password"), "bad_scope"),
        (("users", "add", "alice"), "no_password"),
        (("users", "password", "nobody", "--password-stdin"), "no_user"),
        (("tokens", "add", "nobody"), "no_user"),
        (("tokens", "remove", "none"), "no_token"),
    ):
        said = darkroom(*arguments, "--json")
        assert (said.status, said.json["error"]["code"]) == (1, code)
    said = darkroom("users", "add", "alice", "--password-stdin", "--json", typed="short\n")
    assert said.json["error"]["code"] == "bad_password"


def test_a_user_is_changed(darkroom: Commands) -> None:
    darkroom("users", "add", "alice", "--no-password")
    changed = darkroom.json("users", "change", "alice", "--scopes", "read,admin", "--disable")
    assert (changed["scopes"], changed["login"]) == (["read", "admin"], "disabled")
    assert darkroom.json("users", "change", "alice", "--enable")["login"] == "tokens only"
    changed = darkroom.json("users", "password", "alice", "--password-stdin", typed="long enough\n")
    assert changed["login"] == "password"


def test_users_are_added_while_a_server_has_the_database(
    darkroom: Commands, tmp_path: Path
) -> None:
    database = Database.open(str(tmp_path / "darkroom.db"))
    try:
        assert darkroom("users", "add", "alice", "--no-password").status == 0
        assert asyncio.run(database.read(lambda c: find_user(c, "alice"))) is not None
    finally:
        database.close()
