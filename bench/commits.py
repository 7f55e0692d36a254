"""Prints how many durable commits a second SQLite makes here: one row each, synchronous=FULL.

    commits.py FILE JOURNAL_MODE SECONDS
"""

import sqlite3
import sys
import time

path, mode, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
connection = sqlite3.connect(path, isolation_level=None)
connection.execute(f"PRAGMA journal_mode = {mode}")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT)")
count = 0
start = time.perf_counter()
while time.perf_counter() - start < seconds:
    connection.execute("INSERT INTO line (text) VALUES (?)", (f"line {count}",))
    count += 1
print(count / (time.perf_counter() - start))
