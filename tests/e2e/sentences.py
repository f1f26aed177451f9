# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the messages of C sources, for the tests that hold them beside the manual.

  sentences.py FILE...

They are the formats given to functions that make messages, as regular expressions: a conversion is
`.+`.  A name in the place of a string is what #define says of it in these files.
"""

import re
import sys

MAKERS = r"\b(?:ipmasq_fail|ipmasq_usage|log_message|turn_away|request_break|fputs|fprintf)\("
STRING = r'"(?:[^"\\\n]|\\.)*"'


def strings(text, names):
    """Literals that stand beside each other, as one; names of literals among them."""
    part = rf"(?:{STRING}|\b(?:{'|'.join(names) or '-'})\b)"
    for match in re.finditer(rf"{part}(?:\s*{part})*", text):
        pieces = re.findall(rf"{STRING}|\w+", match.group())
        yield "".join(p[1:-1] if p[0] == '"' else names[p] for p in pieces)


def arguments(text, start):
    """What stands between the bracket at start and the one that closes it."""
    depth, i = 1, start
    while depth and i < len(text):
        if text[i] == '"':
            i = re.compile(STRING).match(text, i).end()
            continue
        depth += (text[i] == "(") - (text[i] == ")")
        i += 1
    return text[start : i - 1]


def pattern(sentence):
    sentence = sentence.replace("\\n", "").replace('\\"', '"')
    words = re.split(r"%[-+0-9.*]*(?:z|l|ll)?[cdisuxX]", sentence)
    return ".+".join(re.escape(w.replace("%%", "%")) for w in words)


def main():
    texts = [re.sub(r"/\*.*?\*/", "", open(name, encoding="utf-8").read(), flags=re.S) for name in sys.argv[1:]]
    names = dict(re.findall(r'^#define\s+(\w+)\s+"([^"]*)"', "\n".join(texts), re.M))
    for text in texts:
        for match in re.finditer(MAKERS, text):
            for sentence in strings(arguments(text, match.end()), names):
                print(pattern(sentence))


main()
