#!/usr/bin/env bash
# Proves and times the GPU path on a machine with an NVIDIA driver. NO GPU HAS BEEN AT HAND: its second half has been
# run with stand-ins for the programs that it calls (GpuScriptTests), and never yet on a device.
#
#   benchmarks/gpu.sh publish OUT      where the SDK is: OUT.tar.xz to carry over (one runtime, under 64 MB)
#   benchmarks/gpu.sh run OUT RESULTS  where the GPU is, no SDK needed: proofs, then times, as Markdown in RESULTS
#
# On the GPU machine: tar -xf OUT.tar.xz && OUT/gpu.sh run OUT benchmarks/results/h200
# It stops at nothing: what falls short is listed at the end, and the exit code is then 1.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
limit_mb=64

publish() {
    local out=$1 dotnet
    rm -rf "$out"
    mkdir -p "$out/fixtures"
    for project in src/Cli benchmarks; do
        dotnet publish "$here/$project" -c Release -r linux-x64 --no-self-contained -p:DebugType=none \
            -p:PublishReadyToRun=false -p:SatelliteResourceLanguages=en -o "$out/$(basename "$project")" -v quiet
    done
    for tests in Kernels Model Training; do
        dotnet publish "$here/tests/$tests.Tests" -c Release -r linux-x64 --no-self-contained -p:DebugType=none \
            -p:SatelliteResourceLanguages=en -p:Standalone=true -o "$out/tests/$tests" -v quiet
    done
    cp -r "$here/tests/fixtures/reference" "$out/fixtures/"
    # What is there to read, to measure coverage or to disassemble is not needed there.
    find "$out" -name '*.xml' -delete
    find "$out" -name 'libcapstone*' -delete
    find "$out" -depth -type d -name Microsoft.CodeCoverage -exec rm -r {} +
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    mkdir -p "$out/dotnet/shared"
    cp -r "$dotnet/dotnet" "$dotnet/host" "$out/dotnet/"
    for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
        mkdir -p "$out/dotnet/shared/$framework"
        cp -r "$(find "$dotnet/shared/$framework" -mindepth 1 -maxdepth 1 -name '10.*' | sort -V | tail -1)" \
            "$out/dotnet/shared/$framework/"
    done
    cp "$here/benchmarks/gpu.sh" "$here/benchmarks/peers/peft/peer.py" "$out/"
    # -9 looks back 64 MB, so that an assembly that several programs bring is stored once.
    XZ_OPT=-9 tar -C "$(dirname "$out")" -cJf "$out.tar.xz" "$(basename "$out")"
    local mb=$(($(stat -c %s "$out.tar.xz") / 1000000))
    echo "$out.tar.xz: $mb MB"
    [ "$mb" -lt "$limit_mb" ] || { echo "more than $limit_mb MB" >&2; exit 1; }
}

# try NAME COMMAND…: runs it; a failure is remembered, not final.
try() {
    local name=$1
    shift
    echo "== $name" >&2
    "$@" || short+=("$name")
}

# Every op and a whole model against fp64, packed = separate, twice the same bytes, resumed = unbroken.
prove() {
    try "doctor" safellama doctor >"$results/doctor.txt"
    for device in cuda cuda:bf16; do
        try "doctor --deep, $device" doctor "$device" "$results/doctor-${device/:/-}"
    done
    # What the driver makes of single instructions, against NVIDIA's tables.
    try "vectors" tests Kernels TestCategory=Cuda "$results/vectors.txt"
    # The numbers of the Hugging Face stack on reference, cpu, cuda, cuda:bf16, and cuda:bf16 with weights rounded too:
    # forward, adapters and their gradients, training runs, greedy answers, each with what was seen and tolerated.
    for tests in Model Training; do
        try "parity, $tests" tests "$tests" FullyQualifiedName~Parity "$results/parity-${tests,,}.txt"
    done
}

doctor() {
    safellama doctor --deep --device "$1" >"$2.txt" && safellama doctor --deep --device "$1" --json >"$2.json"
}

tests() {
    SAFELLAMA_CUDA=1 SAFELLAMA_REFERENCE=$out/fixtures/reference "$dotnet" "$out/tests/$1/SafeLlama.$1.Tests.dll" \
        --filter "$2" --output Detailed --no-progress >"$3" 2>&1
}

# Out-of-bounds accesses and races that hardware would not complain about, on the doctor's small sizes.
sanitize() {
    if ! command -v compute-sanitizer >/dev/null; then
        echo "compute-sanitizer is not installed: memcheck and racecheck were not run" >"$results/sanitizer.txt"
        return
    fi
    for tool in memcheck racecheck; do
        try "compute-sanitizer $tool" compute-sanitizer --tool "$tool" --error-exitcode 1 \
            "$dotnet" "$out/Cli/safellama.dll" doctor --deep --device cuda:bf16 >"$results/$tool.txt" 2>&1
    done
}

# Ops beside the copy bandwidth; whole LoRA steps, r = 8 on q and v, random bf16 weights.
measure() {
    for shape in "8 512" "1 2048"; do
        read -r batch length <<<"$shape"
        local name="$batch"x"$length"
        for device in cuda cuda:bf16; do
            try "ops, $device, $name" bench device --device "$device" --batch "$batch" --length "$length" \
                >"$results/ops-${device/:/-}-$name.md"
        done
        try "step, $name" bench step --config llama-7b --device cuda:bf16 --dtype bf16 \
            --batch "$batch" --length "$length" --warmup 5 --steps 10 >>"$results/steps.jsonl"
    done
    try "decode" bench step --config llama-7b --mode decode --device cuda:bf16 --dtype bf16 >>"$results/steps.jsonl"
}

# The same in PyTorch, transformers and PEFT, whatever versions are installed.
peers() {
    if ! python3 -c "import torch, transformers, peft" 2>/dev/null; then
        echo "PyTorch, transformers or PEFT is not installed: no peer was measured" >"$results/peers.txt"
        return
    fi
    for shape in "8 512" "1 2048"; do
        read -r batch length <<<"$shape"
        try "torch, $batch x $length" python3 "$out/peer.py" limits --batch "$batch" --length "$length" \
            >"$results/torch-${batch}x$length.md"
        for way in "" --compile; do
            try "PEFT $way, $batch x $length" python3 "$out/peer.py" step --batch "$batch" --length "$length" $way \
                >>"$results/steps.jsonl"
        done
    done
}

# One page: what was run on what, what fell short, and the steps side by side.
summarize() {
    {
        echo "# $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -1), $(date -u +%F)"
        echo
        if [ ${#short[@]} -eq 0 ]; then echo "Everything passed."; else printf -- '- fell short: %s\n' "${short[@]}"; fi
        echo
        echo "| step | batch × length | tokens/s | s | memory, MB |"
        echo "|---|--:|--:|--:|--:|"
        python3 - "$results/steps.jsonl" <<'PYTHON' || echo "(steps.jsonl holds the steps)"
import json, sys
for line in open(sys.argv[1]):
    s = json.loads(line)
    memory = s.get("peak_memory_mb", s.get("planned_mb", ""))
    name, shape = f"{s['peer']} {s.get('mode') or 'lora'}", f"{s['batch']} × {s['seq']}"
    print(f"| {name} | {shape} | {s['tokens_per_s']} | {s['s_per_step_median']} | {memory} |")
PYTHON
        echo
        echo "Ops: $(cd "$results" && echo ops-*.md torch-*.md)."
        echo "Proofs: doctor-*.txt, vectors.txt, parity-*.txt, memcheck.txt, racecheck.txt."
    } >"$results/README.md"
}

safellama() { "$dotnet" "$out/Cli/safellama.dll" "$@"; }

bench() { "$dotnet" "$out/benchmarks/SafeLlama.Benchmarks.dll" "$@"; }

run() {
    out=$(cd "$1" && pwd)
    results=$2
    short=()
    dotnet="$out/dotnet/dotnet"
    export DOTNET_ROOT="$out/dotnet" DOTNET_NOLOGO=1
    mkdir -p "$results"
    nvidia-smi >"$results/nvidia-smi.txt" || { echo "nvidia-smi fails: no NVIDIA driver, or no device" >&2; exit 1; }
    rm -f "$results/steps.jsonl"
    prove
    sanitize
    measure
    peers
    summarize
    [ ${#short[@]} -eq 0 ] || { printf 'fell short: %s\n' "${short[@]}" >&2; exit 1; }
}

case "${1:-}" in
    publish) publish "${2:?where to}" ;;
    run) run "${2:?published folder}" "${3:?results folder}" ;;
    *) sed -n '2,9p' "$0"; exit 2 ;;
esac
