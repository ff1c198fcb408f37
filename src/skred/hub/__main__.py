"""``python -m skred.hub``: serve the simulated pixels of one event until standard input closes."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.hub.child import serve_until_stdin_closes
from skred.hub.faults import read_rules
from skred.hub.simulated import simulated_source
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m skred.hub", description="The offline Sentinel Hub of one event.")
    parser.add_argument("--event", type=Path, required=True, help="event file, data/events/<event>.yaml")
    parser.add_argument("--params", type=Path, required=True, help="params.yaml with a section world")
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="settings as one line of JSON: the only form here")
    parser.add_argument("--faults", type=Path, help="YAML or JSON file of fault rules")
    parser.add_argument("--verbose", action="store_true", help="one line per request on standard error")
    args = parser.parse_args()
    rules = () if args.faults is None else read_rules(args.faults)
    source = simulated_source(args.event, args.params)
    serve_until_stdin_closes(source, port=args.port, faults=rules, verbose=args.verbose)


if __name__ == "__main__":
    run(main)
