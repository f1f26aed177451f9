#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the fuzz targets over their corpus and over some random inputs.
set -e
dir=${srcdir:-.}
./replay_engine "$dir/corpus/engine"
./replay_engine -random 1 300
./replay_helpers "$dir/corpus/helpers"
./replay_helpers -random 1 300
./replay_proxy_rule "$dir/corpus/proxy_rule"
./replay_proxy_rule -random 1 300
