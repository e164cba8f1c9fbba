#!/usr/bin/env python3
"""Refresh the tables in src/catalog/data from a folder of collected facts.

    python3 tools/catalog.py FACTS

Copies the tables that the catalog embeds, byte for byte, and writes the day they were collected, which the
folder's README.md states, to collected.txt, with a line for each table that was extended later: name and day.
resource-types.txt has its own script; choices.csv and containers/inference-ami-reports.csv are written by hand.
"""

import re
import shutil
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "src" / "catalog" / "data"
TABLES = [
    "ec2-instances.csv",
    "models.csv",
    "neuron-instances.csv",
    "prices-ec2.csv",
    "prices-sagemaker-observed.csv",
    "prices-sagemaker-ratio.csv",
    "prices-sagemaker.csv",
    "quotas.csv",
    "regions-sagemaker-endpoint.json",
    "regions.csv",
    "sagemaker-instances.csv",
    "containers/inference-ami-versions.csv",
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    facts = Path(sys.argv[1])
    engines = sorted(path.relative_to(facts).as_posix() for path in (facts / "containers").glob("*.json"))
    for name in TABLES + engines:
        target = DATA / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(facts / name, target)
    said = (facts / "README.md").read_text()
    day = re.search(r"collected on (\d{4}-\d{2}-\d{2})", said).group(1)
    later = re.findall(r"([\w.-]+\.\w+) extended on (\d{4}-\d{2}-\d{2})", said)
    lines = [day] + [f"{table} {extended}" for table, extended in later]
    (DATA / "collected.txt").write_text("".join(f"{line}\n" for line in lines))
    print(f"{len(TABLES) + len(engines)} tables copied")


if __name__ == "__main__":
    main()
