"""The command line: `python -m nodes.starter train --work DIR`, `... evaluate FILE` and `... colours FILE`."""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.status import Status

from nodes.starter import autoencoder, colours, evaluate, export
from nodes.starter.stages import Work

SCALES: Final = (1.0, 2.0, 3.0, 5.0, 7.5)


def main() -> None:
    """Train the starter model, or measure one."""
    parser = argparse.ArgumentParser(prog="nodes.starter", description="The starter model.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train all stages, or go on where they stopped")
    train.add_argument("--work", type=Path, required=True, help="folder for states and results")
    train.add_argument("--minutes", type=float, default=95, help="wall clock to spend in all")
    measure = commands.add_parser("evaluate", help="measure a checkpoint on 500 unseen prompts")
    measure.add_argument("file", type=Path)
    measure.add_argument("--scales", type=float, nargs="+", default=SCALES)
    measure.add_argument("--prompts", type=int, default=evaluate.PROMPTS)
    measure.add_argument("--to", type=Path, help="folder for accuracy.json and a sheet of examples")
    seen = commands.add_parser(
        "colours", help="fit the colours that previews show a model's latents in"
    )
    seen.add_argument("file", type=Path)
    options = parser.parse_args()

    console = Console(highlight=False, log_path=False)
    if options.command == "evaluate":
        _evaluate(options.file, options.scales, options.prompts, options.to, console)
        return
    if options.command == "colours":
        vae = autoencoder.create().eval()
        export.read(options.file, "vae", vae)
        found, explained = colours.fit(vae)
        console.print(found, "R^2:", explained)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    with console.status("starting") as status:
        report = functools.partial(_show, console, status)
        file = Work(options.work, options.minutes, report).run()
        _evaluate(file, SCALES, evaluate.PROMPTS, options.work, console)


def _evaluate(
    file: Path, scales: Sequence[float], prompts: int, to: Path | None, console: Console
) -> None:
    models = evaluate.Models.load(file)
    results = evaluate.measure(models, scales, console.log, prompts)
    if to is None:
        return
    (to / "accuracy.json").write_text(json.dumps(results, indent=1) + "\n")
    pictures = models.pictures(evaluate.SHOWN, float(evaluate.best(results)), seed=4)
    evaluate.grid(pictures, evaluate.SHOWN).save(to / "starter-grid.png")


def _show(console: Console, status: Status, line: str) -> None:
    """Show a line in place, and keep in the log what is more than a running loss."""
    status.update(line)
    if "," in line or not console.is_terminal:
        console.log(line)


if __name__ == "__main__":
    main()
