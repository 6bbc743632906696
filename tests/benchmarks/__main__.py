"""`python -m tests.benchmarks NAME [--json]`: what Darkroom costs, against its bounds."""

import argparse
import importlib
import json
import sys

NAMES = ("engine", "sampling", "steps", "memory", "demo", "store", "server", "soak")


def main() -> int:
    """Measure, print, and return 1 if a value is above its bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    module = importlib.import_module(f"{__package__}.{arguments.name}")
    values: dict[str, float] = module.measure()
    bounds: dict[str, float] = module.BOUNDS
    rows = {
        name: {"value": value, "bound": bounds.get(name), "ok": value <= bounds.get(name, value)}
        for name, value in values.items()
    }
    if arguments.json:
        print(json.dumps({"benchmark": arguments.name, "values": rows}))
    else:
        print(f"{'':34}{'value':>12}{'bound':>12}")
        for name, row in rows.items():
            bound = "" if row["bound"] is None else f"{row['bound']:.4g}"
            print(f"{name:34}{row['value']:>12.4g}{bound:>12}  {'ok' if row['ok'] else 'TOO MUCH'}")
    return 0 if all(row["ok"] for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
