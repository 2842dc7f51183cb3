"""Prints a Parquet file as DuckDB reads it: rows.py FILE. The first line has the columns' types, each other one a row."""

import json
import sys

import duckdb


def main() -> None:
    file = duckdb.read_parquet(sys.argv[1])
    print(json.dumps(dict(zip(file.columns, map(str, file.types), strict=True))))
    for row in file.fetchall():
        print(json.dumps(dict(zip(file.columns, row, strict=True))))


if __name__ == "__main__":
    main()
