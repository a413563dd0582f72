#!/usr/bin/env bash
# The whole page of results for --device cpu:bf16, as Markdown: products, steps beside our fp32 and peers in bf16, peak
# memory, two threads, and start-up. Run on a quiet machine, from the root of the project:
#
#   benchmarks/bf16.sh > benchmarks/results/MACHINE/bf16.md
#
# ROUNDS   how often each program runs (9)
# CORE     where one thread is bound to ("1"); empty binds nothing
# OURS     our program; by default this build, published as users run it, into a temporary folder
set -euo pipefail

rounds=${ROUNDS:-9}
core=${CORE-1}
torchsharp=benchmarks/peers/torchsharp/bin/Release/net10.0/peer-torchsharp.dll
export OMP_WAIT_POLICY=passive
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

if [ -z "${OURS:-}" ]; then
    published=$(mktemp -d)
    trap 'rm -rf "$published"' EXIT
    dotnet publish benchmarks -c Release -r linux-x64 --no-self-contained -o "$published" -v q >&2
    OURS="$published/SafeLlama.Benchmarks"
fi

bound=""
[ -z "$core" ] || bound="taskset -c $core"
fp32="$OURS step --device cpu --dtype fp32"
stored="$OURS step --device cpu --dtype bf16"
bf16="$OURS step --device cpu:bf16 --dtype bf16"

# PyTorch's program computes in fp32 alone, and is no peer here.
peers=()
if [ -f "$torchsharp" ]; then
    peers+=("dotnet $torchsharp --dtype bf16")
else
    echo "TorchSharp is left out: dotnet build -c Release benchmarks/peers/torchsharp" >&2
fi
echo "# bf16 on the CPU"
echo
echo "Made by \`ROUNDS=$rounds benchmarks/bf16.sh\`. The first row of a table is \`--device cpu:bf16\` with weights"
echo "stored in bf16; then come our fp32 (weights in fp32, and in bf16) and TorchSharp in bf16 throughout."
echo
echo "## Products, one thread"
echo
$bound "$OURS" products --rounds "$rounds"

echo "## Steps, one thread"
echo
for work in small:qv:1:2 small:all:1:2 gqa:qv:1:2 gqa:all:1:2 tiny:qv:2:10 tiny:all:2:10; do
    IFS=: read -r config targets warmup steps <<< "$work"
    others=(--peer "$bound $fp32")
    [ "$targets" = all ] || others+=(--peer "$bound $stored")
    for peer in ${peers[@]+"${peers[@]}"}; do
        others+=(--peer "$bound $peer")
    done
    "$OURS" compare --rounds "$rounds" --ours "$bound $bf16" "${others[@]}" \
        --options "--config $config --mode lora --targets $targets --threads 1 --steps $steps --warmup $warmup"
done

echo "## All weights, one thread"
echo
"$OURS" compare --rounds "$rounds" --ours "$bound $OURS step --device cpu:bf16" --peer "$bound $fp32" \
    --options "--config tiny --mode full --threads 1 --steps 3 --warmup 1"

echo "## Two threads"
echo
for work in small:2 tiny:10; do
    IFS=: read -r config steps <<< "$work"
    echo "*$config*, wall seconds of a step, $rounds rounds in turn: median and range."
    echo
    echo "| threads | seconds |"
    echo "|---:|---:|"
    one=() two=()
    for ((round = 0; round < rounds; round++)); do
        for threads in 1 2; do
            seconds=$($bf16 --config "$config" --threads $threads --steps "$steps" --warmup 1 \
                | sed -n 's/.*"s_per_step_median":\([0-9.]*\).*/\1/p')
            [ $threads = 1 ] && one+=("$seconds") || two+=("$seconds")
        done
    done
    summary() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {printf "%s (%s–%s)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
    middle() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
    echo "| 1 | $(summary "${one[@]}") |"
    echo "| 2 | $(summary "${two[@]}") |"
    echo
    awk -v a="$(middle "${one[@]}")" -v b="$(middle "${two[@]}")" 'BEGIN {printf "One over two: %.2f.\n\n", a / b}'
done

echo "## Start-up"
echo
times=()
for ((round = 0; round < rounds; round++)); do
    start=$(date +%s%N)
    $bf16 --config tiny --threads 1 --steps 1 --warmup 0 > /dev/null
    times+=("$(awk -v ns=$(($(date +%s%N) - start)) 'BEGIN {printf "%.3f", ns / 1e9}')")
done
echo "A process from its start to the end of its first step of *tiny*, published: $(summary "${times[@]}") s, of which"
echo "a later step takes $(middle "${one[@]}") s."
