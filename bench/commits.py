"""Prints how many durable commits a second SQLite makes here: one row each, WAL, synchronous=FULL.

    commits.py FILE SECONDS
"""

import sqlite3
import sys
import time

path, seconds = sys.argv[1], float(sys.argv[2])
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT)")
count = 0
start = time.perf_counter()
while time.perf_counter() - start < seconds:
    connection.execute("INSERT INTO line (text) VALUES (?)", (f"line {count}",))
    count += 1
print(count / (time.perf_counter() - start))
