# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks standard input against the text format 0.0.4 of Prometheus, as far as it is used here."""
import re
import sys

LINE = re.compile(r'([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? ([0-9]+)$')
types, helps, seen, last = {}, set(), set(), None
for line in sys.stdin.read().splitlines():
    if line.startswith("# HELP "):
        name = line.split()[2]
        assert name not in helps, f"two helps of {name}"
        helps.add(name)
    elif line.startswith("# TYPE "):
        _, _, name, kind = line.split()
        assert name in helps and name not in types, f"type of {name}"
        assert kind in ("gauge", "counter") and (kind == "counter") == name.endswith("_total"), line
        types[name] = kind
        last = name
    else:
        match = LINE.match(line)
        assert match, f"not a sample: {line}"
        assert match[1] == last, f"{match[1]} is not below its type"
        assert match[1] + (match[2] or "") not in seen, f"twice: {line}"
        seen.add(match[1] + (match[2] or ""))
assert seen, "no samples"
