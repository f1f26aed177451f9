#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is table inet ipmasq whole?  Reads `nft -j list table inet ipmasq` from standard input.

Every forward has its traffic element, every traffic element its forward, every pool its chain and
every pool's chain its pool.  Prints the number of hosts forwarded to, or what is missing.
"""
import json
import re
import sys


def key_of(element):
    """The key of a set's or map's element, as a tuple."""
    if isinstance(element, dict) and "elem" in element:
        element = element["elem"]["val"]
    return tuple(element["concat"])


def pool_hosts(rules, chain):
    """The hosts of a pool, from the map in its chain's only rule."""
    for rule in rules:
        if rule["chain"] == chain:
            ranges = re.findall(r'\{"concat": \["([^"]+)", (\d+)\]\}', json.dumps(rule["expr"]))
            return [(address, int(port)) for address, port in ranges]
    return None


def main():
    table = json.load(sys.stdin)["nftables"]
    maps = {o["map"]["name"]: o["map"].get("elem", []) for o in table if "map" in o}
    sets = {o["set"]["name"]: o["set"].get("elem", []) for o in table if "set" in o}
    rules = [o["rule"] for o in table if "rule" in o]
    chains = {o["chain"]["name"] for o in table if "chain" in o}
    wrong, hosts, pools = [], 0, set()
    for name in sets:
        if not name.endswith("_traffic"):
            continue
        base = name[:-len("_traffic")]
        wanted = {key_of(k) + key_of(v) for k, v in maps[base]}
        for key, verdict in maps[base + "_pool"]:
            chain = verdict["goto"]["target"]
            pools.add(chain)
            targets = pool_hosts(rules, chain)
            if targets is None:
                wrong.append(f"pool {key} has no rule in chain {chain}")
            wanted |= {key_of(key) + target for target in targets or []}
        found = {key_of(k) for k in sets[name]}
        wrong += [f"{name} lacks {key}" for key in sorted(wanted - found)]
        wrong += [f"{name} has {key}, which nothing forwards" for key in sorted(found - wanted)]
        hosts += len(wanted)
    wrong += [f"chain {chain} has no pool" for chain in chains
              if chain.startswith("pool_") and chain not in pools]
    if wrong:
        sys.exit("\n".join(wrong[:20]))
    print(hosts)


main()
