"""The commands `darkroom users` and `darkroom tokens`."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.access.tokens import Token
    from server.access.users import User

    from .answer import Answer

T = TypeVar("T")

users = typer.Typer(help="Who may use the server.", no_args_is_help=True)
tokens = typer.Typer(help="What programs show to be let in.", no_args_is_help=True)

UserName = Annotated[str, typer.Argument(metavar="USER", help="The user's name.")]
Scopes = Annotated[
    str | None,
    typer.Option(metavar="SCOPES", help="What is allowed: some of read,run,write,admin."),
]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
USUAL = "read,run,write"


@users.command("add")
def add_user(
    user: UserName,
    scopes: Scopes = None,
    *,
    from_input: FromInput = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="A user of tokens only, who cannot log in.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a user, and ask for the password. Without --scopes: read,run,write."""

    def work() -> "Answer":
        from server.access.users import add_user, check_name

        check_name(user)
        password = None if no_password else _hashed(from_input)
        chosen = _split(scopes or USUAL)
        made = _change(lambda connection: add_user(connection, user, chosen, password))
        return _told(_user_json(made), f"added {user}: {', '.join(_user_json(made)['scopes'])}")

    _finish(work, as_json)


@users.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List the users."""

    def work() -> "Answer":
        from server.access.users import list_users

        from .answer import Answer
        from .console import say, say_table

        found = [_user_json(user) for user in _change(list_users)]
        rows = [
            (each["user"], ",".join(each["scopes"]), each["login"], each["created"])
            for each in found
        ]

        def show() -> None:
            if rows:
                say_table(("user", "scopes", "login", "created"), rows)
            else:
                say("no users; add one: darkroom users add NAME")

        return Answer({"users": found}, show)

    _finish(work, as_json)


@users.command("remove")
def remove_user(user: UserName, as_json: AsJson = False) -> None:
    """Remove a user, with their tokens and logins. Their files and jobs stay."""

    def work() -> "Answer":
        from server.access.users import remove_user

        _change(lambda connection: remove_user(connection, user))
        return _told({"removed": user}, f"removed {user}")

    _finish(work, as_json)


@users.command("password")
def set_password(user: UserName, *, from_input: FromInput = False, as_json: AsJson = False) -> None:
    """Give a user another password; ends their logins. Their tokens stay."""

    def work() -> "Answer":
        from server.access.users import change_user, known

        _change(lambda connection: known(connection, user))
        password = _hashed(from_input)
        made = _change(lambda connection: change_user(connection, user, password=password))
        return _told(_user_json(made), f"{user} has another password")

    _finish(work, as_json)


@users.command("change")
def change_user(
    user: UserName,
    scopes: Scopes = None,
    *,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether the user is kept out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what a user may do, or keep them out. Holds for their tokens too."""

    def work() -> "Answer":
        from server.access.users import change_user

        chosen = None if scopes is None else _split(scopes)
        made = _change(
            lambda connection: change_user(connection, user, scopes=chosen, disabled=disabled)
        )
        return _told(_user_json(made), f"changed {user}")

    _finish(work, as_json)


@tokens.command("add")
def add_token(
    user: UserName,
    scopes: Scopes = None,
    *,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[
        float | None, typer.Option(help="Days until it ends. Without: it does not.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for a user and print it, this once. Without --scopes: all of the user's."""

    def work() -> "Answer":
        from server.access.tokens import add_token

        chosen = None if scopes is None else _split(scopes)
        made, text = _change(
            lambda connection: add_token(connection, user, label=label, scopes=chosen, days=days)
        )
        return _told({**_token_json(made), "token": text}, text)

    _finish(work, as_json)


@tokens.command("list")
def list_tokens(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="Only theirs.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tokens; their secrets are known to nobody."""

    def work() -> "Answer":
        from server.access.tokens import list_tokens

        from .answer import Answer
        from .console import say, say_table

        found = [_token_json(each) for each in _change(lambda c: list_tokens(c, user))]
        columns = ("id", "user", "label", "scopes", "expires", "last_used")
        rows = [
            [",".join(v) if isinstance(v := each[name], list) else v or "" for name in columns]
            for each in found
        ]

        def show() -> None:
            if rows:
                say_table(("id", "user", "label", "scopes", "expires", "last used"), rows)
            else:
                say("no tokens; make one: darkroom tokens add USER")

        return Answer({"tokens": found}, show)

    _finish(work, as_json)


@tokens.command("remove")
def remove_token(
    token: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Remove a token: it lets nobody in any more."""

    def work() -> "Answer":
        from server.access.tokens import remove_token

        _change(lambda connection: remove_token(connection, token))
        return _told({"removed": token}, f"removed {token}")

    _finish(work, as_json)


def _change(work: "Callable[[Connection], T]") -> T:
    from server.access.beside import change_beside
    from server.settings import Settings

    return change_beside(Settings.read().database_url, work)


def _hashed(from_input: bool) -> str:
    import getpass

    from engine.errors import InputError
    from server.access.passwords import check_password, hash_password

    if from_input:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise InputError(
            "there is no terminal to ask for the password: use --password-stdin",
            code="no_password",
        )
    else:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise InputError("the two passwords differ", code="bad_password")
    check_password(password)
    return hash_password(password)


def _split(scopes: str) -> list[str]:
    return [each.strip() for each in scopes.split(",") if each.strip()]


def _user_json(user: "User") -> dict[str, Any]:
    from server.access.principal import in_order

    login = "disabled" if user.disabled else "password" if user.password else "tokens only"
    return {
        "user": user.name,
        "scopes": in_order(user.scopes),
        "login": login,
        "created": _when(user.created),
    }


def _token_json(token: "Token") -> dict[str, Any]:
    from server.access.principal import in_order

    return {
        "id": token.id,
        "user": token.user,
        "label": token.label,
        "scopes": in_order(token.scopes),
        "created": _when(token.created),
        "expires": _when(token.expires),
        "last_used": _when(token.last_used),
    }


def _when(seconds: float | None) -> str | None:
    import time

    if seconds is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _told(json: dict[str, Any], text: str) -> "Answer":
    from .answer import Answer
    from .console import say

    return Answer(json, lambda: say(text))


def _finish(command: "Callable[[], Answer]", as_json: bool) -> None:
    from .answer import give

    sys.stdout.flush()
    raise typer.Exit(give(command, as_json=as_json))
