#!/usr/bin/env bash
# A tokenizer, a tiny model from nothing, a LoRA with a safety mix, and its answers before and after.
# It takes a quarter of a minute once the program is built.
# Everything is written to runs/first-run, which must not be there yet.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=examples/first-run
out=runs/first-run

dotnet build src/Cli -c Release -v quiet -nologo
safellama() { echo "\$ safellama $*" >&2; dotnet src/Cli/bin/Release/net10.0/safellama.dll "$@"; }

safellama data tokenizer --data $here/text.txt $here/rows.jsonl $here/safety.jsonl --template alpaca \
    --vocabulary-size 640 --out $out/tokenizer

safellama train --init $here/config.json --tokenizer $out/tokenizer --data $here/text.txt --max-length 64 \
    --epochs 60 --batch-size 16 --micro-batch 16 --learning-rate 3e-3 --schedule cosine --validation 0 --out $out/base

safellama train --model $out/base/model --data $here/rows.jsonl --safety $here/safety.jsonl --safety-examples 12 \
    --targets all --rank 16 --epochs 24 --batch-size 8 --micro-batch 8 --learning-rate 3e-3 --validation 3 --out $out/tuned

safellama generate --model $out/base/model --raw --prompt "In the pond lives" --max-new-tokens 40
safellama generate --model $out/base/model --adapter $out/tuned/adapter --prompts $here/prompts.txt --max-new-tokens 24
