#!/usr/bin/env bash
# The whole page of results for --device cpu:bf16, as Markdown: products, steps beside our fp32 and peers in bf16, peak
# memory, two threads, start-up, and every aim beside what was measured. Run on a quiet machine, from the root of the
# project; nine rounds take about half an hour there:
#
#   benchmarks/bf16.sh > benchmarks/results/MACHINE/bf16.md
#
# ROUNDS   how often each program runs (9)
# QUICK    1 runs every part once and briefly, to see that all of them work
# CORE     where one thread is bound to ("1"); empty binds nothing
# OURS     our program; by default this build, published as users run it, into a temporary folder
set -euo pipefail

quick=${QUICK:-}
rounds=${ROUNDS:-${quick:+1}}
rounds=${rounds:-9}
core=${CORE-1}
torchsharp=benchmarks/peers/torchsharp/bin/Release/net10.0/peer-torchsharp.dll
export OMP_WAIT_POLICY=passive
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${OURS:-}" ]; then
    dotnet publish benchmarks -c Release -r linux-x64 --no-self-contained -o "$work/published" -v q >&2
    OURS="$work/published/SafeLlama.Benchmarks"
fi

bound=""
[ -z "$core" ] || bound="taskset -c $core"
fp32="$OURS step --device cpu --dtype fp32"
stored="$OURS step --device cpu --dtype bf16"
bf16="$OURS step --device cpu:bf16 --dtype bf16"

# PyTorch's program computes in fp32 alone, and is no peer here.
peer=""
if [ -f "$torchsharp" ]; then
    peer="dotnet $torchsharp --dtype bf16"
else
    echo "TorchSharp is left out: dotnet build -c Release benchmarks/peers/torchsharp" >&2
fi

summary() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {printf "%s (%s–%s)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
middle() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# aim WORK AIM VALUE [most]: a line of the last table; met where the value is at least the aim, or at most.
aim() {
    local verdict
    verdict=$(awk -v aim="$2" -v value="$3" -v most="${4:-}" \
        'BEGIN {if (value == "" || value == "–") print "–"; else print (most ? value + 0 <= aim + 0 : value + 0 >= aim + 0) ? "met" : "missed"}')
    echo "| $1 | ${4:+≤ }$([ -n "${4:-}" ] || echo "≥ ")$2 | ${3:-–} | $verdict |" >> "$work/aims"
}

# cell FILE ROW COLUMN: a number of a table that `compare` printed; nothing where it has no such row.
cell() { awk -F'|' -v row="$2" -v column="$3" 'index($2, row) {split($column, v, " "); print v[1]; exit}' "$1"; }
over() { awk -v a="$1" -v b="$2" 'BEGIN {if (a != "" && b > 0) printf "%.2f", a / b}'; }

echo "# bf16 on the CPU"
echo
echo "Made by \`ROUNDS=$rounds benchmarks/bf16.sh\`. The first row of a table is \`--device cpu:bf16\` with weights"
echo "stored in bf16; then come our fp32 (weights in fp32, and in bf16) and TorchSharp in bf16 throughout. The last"
echo "table has every aim beside what was measured."
echo
echo "## Products, one thread"
echo
$bound "$OURS" products --rounds "$rounds" ${quick:+--shapes 2} | tee "$work/products"
share() { awk -F'|' -v column="$1" -v names="$2" '$2 ~ names && $2 !~ /tiny/ {v = $column; sub("%", "", v); if (least == "" || v + 0 < least) least = v + 0} END {print least}' "$work/products"; }
aim "products y and dx at 512 rows and more, least share of the tile, %" 88 "$(share 4 ' (y|dx),')"
aim "emulated y and dx, least share of our fp32, %" 95 "$(share 8 ' (y|dx),')"

echo "Gradients of weights (dW) have no aim: both of their operands are interleaved as they are packed, and only"
echo "training of all weights has them."
echo
echo "## Steps, one thread"
echo
# Configuration, targets, warm-up, steps; aims over our fp32 and over TorchSharp. Warm-up lasts until the runtime has
# compiled what runs often, which it does beside the first second or two of work and which counts as CPU time.
works="small:qv:2:1:1.85:1.45 small:all:2:1:1.85:1.45 gqa:qv:2:1:1.8:1.4 gqa:all:2:1:1.8:1.4 tiny:qv:10:10:1.6:1.75
    tiny:all:10:10:1.6:1.75"
[ -z "$quick" ] || works="small:qv:1:1:1.85:1.45 tiny:all:1:2:1.6:1.75"
for step in $works; do
    IFS=: read -r config targets warmup steps faster ahead <<< "$step"
    others=(--peer "$bound $fp32")
    [ "$config $targets" != "small qv" ] || others+=(--peer "$bound $stored")
    [ -z "$peer" ] || others+=(--peer "$bound $peer")
    table="$work/$config-$targets"
    "$OURS" compare --rounds "$rounds" --ours "$bound $bf16" "${others[@]}" \
        --options "--config $config --mode lora --targets $targets --threads 1 --steps $steps --warmup $warmup" \
        | tee "$table"
    aim "*$config*, $targets: our fp32's CPU time over bf16's" "$faster" "$(cell "$table" "fp32 cpu" 9)"
    aim "*$config*, $targets: TorchSharp's CPU time over bf16's" "$ahead" "$(cell "$table" TorchSharp 9)"
    aim "*$config*, $targets: peak memory over our fp32's" 0.7 \
        "$(over "$(cell "$table" "cpu:bf16" 8)" "$(cell "$table" "fp32 cpu" 8)")" most
done

echo "## All weights, one thread"
echo
"$OURS" compare --rounds "$rounds" --ours "$bound $OURS step --device cpu:bf16" --peer "$bound $fp32" \
    --options "--config tiny --mode full --threads 1 $([ -n "$quick" ] && echo "--steps 1 --warmup 1" || echo "--steps 3 --warmup 6")"

echo "## Two threads"
echo
for step in small:1:2:1.9 tiny:10:10:1.85; do
    IFS=: read -r config steps warmup least <<< "$step"
    echo "*$config*, wall seconds of a step, $rounds rounds in turn: median and range."
    echo
    echo "| threads | seconds |"
    echo "|---:|---:|"
    one=() two=()
    for ((round = 0; round < rounds; round++)); do
        for threads in 1 2; do
            seconds=$($bf16 --config "$config" --threads $threads --steps "$steps" --warmup "$warmup" \
                | sed -n 's/.*"s_per_step_median":\([0-9.]*\).*/\1/p')
            [ $threads = 1 ] && one+=("$seconds") || two+=("$seconds")
        done
    done
    echo "| 1 | $(summary "${one[@]}") |"
    echo "| 2 | $(summary "${two[@]}") |"
    echo
    ratio=$(over "$(middle "${one[@]}")" "$(middle "${two[@]}")")
    echo "One over two: $ratio."
    echo
    aim "*$config*: one thread's time over two's" "$least" "$ratio"
done

echo "## Start-up"
echo
times=()
for ((round = 0; round < rounds; round++)); do
    start=$(date +%s%N)
    $bf16 --config tiny --threads 1 --steps 1 --warmup 0 > /dev/null
    times+=("$(awk -v ns=$(($(date +%s%N) - start)) 'BEGIN {printf "%.3f", ns / 1e9}')")
done
later=$(middle "${one[@]}")
before=$(awk -v whole="$(middle "${times[@]}")" -v step="$later" 'BEGIN {printf "%.3f", whole - step}')
echo "A process from its start to the end of its first step of *tiny*, published: $(summary "${times[@]}") s. A later"
echo "step takes $later s, so all else took $before s."
aim "start-up to the first step, published, s" 0.55 "$before" most

echo
echo "## Aims"
echo
echo "Medians; CPU time of one thread unless said."
echo
echo "| what | aim | measured | |"
echo "|---|---:|---:|---|"
cat "$work/aims"
