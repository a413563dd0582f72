#!/usr/bin/env bash
# Greedy decoding by llama2.c: takes the options of `benchmarks -- step --mode decode`, prints its line of JSON.
# The folder LLAMA2C (default ~/llama2c) holds the program `run`, and CONFIG.bin and CONFIG-tokenizer.bin; see README.md.
set -euo pipefail

folder=${LLAMA2C:-$HOME/llama2c}
config=small tokens=200 threads=1 steps=1
while [ $# -gt 0 ]; do
    case $1 in
        --config) config=$2 ;;
        --gen) tokens=$2 ;;
        --threads) threads=$2 ;;
        --steps) steps=$2 ;;
    esac
    shift 2
done

export OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive
TIMEFORMAT='%U %S'

# Generates $1 tokens: `processor` is the CPU time of the process in seconds, `rate` what the program itself reports.
generate() {
    local output
    output=$( { time "$folder/run" "$folder/$config.bin" -t 0 -n "$1" -z "$folder/$config-tokenizer.bin" > /dev/null; } 2>&1 )
    processor=$(tail -n 1 <<< "$output" | awk '{ print $1 + $2 }')
    rate=$(awk '/tok\/s/ { print $NF }' <<< "$output")
}

# The first token faults the model's file into memory: it belongs to opening, not to decoding.
generate 1
opening=$processor
rates=() processors=()
for _ in $(seq "$steps"); do
    generate $((tokens + 1))
    rates+=("$rate")
    processors+=("$processor")
done

median=$(printf '%s\n' "${rates[@]}" | sort -n | sed -n "$((steps / 2 + 1))p")
printf '%s\n' "${processors[@]}" | awk -v rate="$median" -v opening="$opening" -v tokens="$tokens" \
    -v config="$config" -v threads="$threads" -v weights="$(stat -c %s "$folder/$config.bin")" '
    { processor += ($1 - opening) / '"$steps"' }
    END {
        printf "{\"peer\":\"llama2.c\",\"config\":\"%s\",\"mode\":\"decode\",\"dtype\":\"fp32\",\"threads\":%d,", config, threads
        printf "\"batch\":1,\"seq\":%d,", tokens
        printf "\"tokens_per_s\":%.2f,\"s_per_step_median\":%.5f,\"cpu_s_per_step\":%.5f,\"peak_rss_mb\":%d}\n",
            rate, tokens / rate, processor, weights / 1048576
    }'
