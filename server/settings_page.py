"""The page on settings, made from the settings: `python -m server.settings_page > docs/settings.md`."""

import sys
from pathlib import Path

from pydantic_core import PydanticUndefined

from .settings import FILE, PREFIX, Settings

_GROUPS = {
    "data": "Where things are kept",
    "host": "Where the server listens",
    "admin_token": "Who may come in",
    "max_body": "How much is too much",
    "precision": "Models",
    "workers": "Workers",
    "retention_days": "Jobs",
    "log_level": "Logs",
}
"""The first setting of each section."""
_HEAD = f"""# Settings

A setting is looked for in this order, and the first place that has it counts:

1. a flag of `darkroom serve`: `--max-body 32MB`
2. a variable of the environment: `{PREFIX}MAX_BODY=32MB`
3. the file `{FILE}` in the data folder, or the one that `{PREFIX}CONFIG` names: `max_body = "32MB"`
4. its default

Lists are written with commas in flags and variables, as arrays in the file. Relative paths count from
the folder of the file that holds them. A key of the file that is not known, or a value that will not
do, stops the command and says where it stands; of a variable that looks like a setting and is none
`darkroom serve` only warns. All commands read the same settings; `data` cannot be set by a
file that lies in the data folder.

```toml
host = "0.0.0.0"
allowed_hosts = ["darkroom.example.org"]
trusted_proxies = ["10.0.0.2"]
worker_memory = "24GB"
retention_days = 90
```

Secrets (`admin_token`, `webhook_secret`, the password in `database`) belong in the environment or in a file
that only the server's user may read. Flags are seen by everybody on the machine."""


def settings_page() -> str:
    """The page, as Markdown."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        if name in _GROUPS:
            lines += [f"\n## {_GROUPS[name]}\n", "| setting | default | |", "|---|---|---|"]
        lines.append(f"| `{name}` | {_default(name)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    if default is PydanticUndefined or default is None or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Path) or name == "store_size":
        return ""
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
