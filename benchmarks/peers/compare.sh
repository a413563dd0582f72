#!/usr/bin/env bash
# Ours and every peer that is there, in turn, work after work, as Markdown tables: medians of CPU and wall time, ratios
# with their spread, tokens/s and peak memory. Run from the root of the project:
#
#   benchmarks/peers/compare.sh > table.md
#
# ROUNDS   how often each program runs (9)
# THREADS  which numbers of threads ("1 2")
# WORKS    which works, each config:mode:targets:steps ("tiny:lora:qv:3 …", all of the list below)
# OURS     our program; by default this build, published as users run it, into a temporary folder
# PYTHON   an interpreter that has torch (python3); without one PyTorch is left out
set -euo pipefail

rounds=${ROUNDS:-9}
threads=${THREADS:-1 2}
works=${WORKS:-tiny:lora:qv:3 tiny:lora:all:3 tiny:full:qv:3 small:lora:qv:2 small:lora:all:2 gqa:lora:qv:2 gqa:lora:all:2}
python=${PYTHON:-python3}
torchsharp=benchmarks/peers/torchsharp/bin/Release/net10.0/peer-torchsharp.dll

# Peers' barriers spin by default, which ruins their time where cores are shared.
export OMP_WAIT_POLICY=passive
# An OpenBLAS that is told nothing picks the newest kernels the machine can run, and its own block sizes.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

if [ -z "${OURS:-}" ]; then
    published=$(mktemp -d)
    trap 'rm -rf "$published"' EXIT
    dotnet publish benchmarks -c Release -r linux-x64 --no-self-contained -o "$published" -v q >&2
    OURS="$published/SafeLlama.Benchmarks"
fi

peers=()
if [ -f "$torchsharp" ]; then
    peers+=(--peer "dotnet $torchsharp")
else
    echo "TorchSharp is left out: dotnet build -c Release benchmarks/peers/torchsharp" >&2
fi
if "$python" -c 'import torch' 2> /dev/null; then
    peers+=(--peer "$python benchmarks/peers/pytorch/peer.py")
else
    echo "PyTorch is left out: $python has no torch; benchmarks/peers/pytorch/README.md says where it comes from" >&2
fi
[ ${#peers[@]} -gt 0 ] || { echo "There is no peer to compare with." >&2; exit 2; }

for count in $threads; do
    for work in $works; do
        IFS=: read -r config mode targets steps <<< "$work"
        "$OURS" compare --rounds "$rounds" --ours "$OURS step" "${peers[@]}" \
            --options "--config $config --mode $mode --targets $targets --threads $count --steps $steps --warmup 2"
    done
done
