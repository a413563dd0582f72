"""The LoRA step at LLaMA-7B shape in transformers and PEFT, and PyTorch's own limits, on one CUDA device.

    peer.py limits --length 512 --batch 8       copy bandwidth, torch.matmul, scaled_dot_product_attention
    peer.py step   --length 512 --batch 8       one training step: forward, loss, backward, AdamW; eager
    peer.py step   --compile                    the same through torch.compile

Prints Markdown rows (limits) or a line of JSON (step). NOT YET RUN: no GPU was at hand when it was written.
"""

import argparse
import json
import time

import torch
from torch.nn.functional import scaled_dot_product_attention

# LLaMA 7B: Touvron et al. 2023, table 2.
HIDDEN, INTERMEDIATE, LAYERS, HEADS, VOCABULARY = 4096, 11008, 32, 32, 32000


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["limits", "step"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--layers", type=int, default=LAYERS, help="fewer, to try it on a smaller device")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model")
    parser.add_argument("--steps", type=int, default=10, help="measured steps")
    parser.add_argument("--warmup", type=int, default=5, help="steps before those")
    return parser.parse_args()


def seconds(run, repeats=50):
    """One run in a queue of many, by the device's own clock: the median of five queues."""
    for _ in range(5):
        run()
    times = []
    for _ in range(5):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(repeats):
            run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1000 / repeats)
    return sorted(times)[2]


def bf16(*shape):
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def limits(o):
    rows = o.batch * o.length
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, bf16, {o.batch} × {o.length} tokens\n")
    print("| op | µs | GB/s | TFLOP/s |\n|---|--:|--:|--:|")

    x, y = bf16(rows, INTERMEDIATE), bf16(rows, INTERMEDIATE)
    t = seconds(lambda: y.copy_(x))
    print(f"| copy [{rows}, {INTERMEDIATE}] | {t * 1e6:.1f} | {2 * x.nbytes / t / 1e9:.0f} | |")

    for name, outputs, inputs in [("q", HIDDEN, HIDDEN), ("up", INTERMEDIATE, HIDDEN), ("down", HIDDEN, INTERMEDIATE)]:
        x, weight, dy = bf16(rows, inputs), bf16(outputs, inputs), bf16(rows, outputs)
        flops = 2 * rows * inputs * outputs
        for label, run in [
            (f"y = x Wᵀ, {name} [{rows}, {inputs}] → {outputs}", lambda: torch.matmul(x, weight.T)),
            (f"dx = dy W, {name}", lambda: torch.matmul(dy, weight)),
        ]:
            t = seconds(run)
            print(f"| {label} | {t * 1e6:.1f} | | {flops / t / 1e12:.2f} |")
        one = bf16(1, inputs)
        t = seconds(lambda: torch.matmul(one, weight.T))
        print(f"| decode, {name} [1, {inputs}] → {outputs} | {t * 1e6:.1f} | {weight.nbytes / t / 1e9:.0f} | |")

    head = HIDDEN // HEADS
    q, k, v = (bf16(o.batch, HEADS, o.length, head).requires_grad_() for _ in range(3))
    pairs = o.batch * o.length * (o.length + 1) / 2 * HIDDEN
    t = seconds(lambda: scaled_dot_product_attention(q, k, v, is_causal=True))
    print(f"| attention forward {o.batch} × {o.length}, {HEADS} heads of {head} | {t * 1e6:.1f} | | {4 * pairs / t / 1e12:.2f} |")
    mixed = scaled_dot_product_attention(q, k, v, is_causal=True)
    dmixed = torch.randn_like(mixed)
    t = seconds(lambda: torch.autograd.grad(mixed, (q, k, v), dmixed, retain_graph=True))
    print(f"| attention backward | {t * 1e6:.1f} | | {10 * pairs / t / 1e12:.2f} |")


def lora_model(o):
    """Random bf16 weights, made on the device; r = 8 on q and v, no dropout; PEFT keeps the adapter's masters in fp32."""
    import peft
    import transformers

    config = transformers.LlamaConfig(
        hidden_size=HIDDEN, intermediate_size=INTERMEDIATE, num_hidden_layers=o.layers, num_attention_heads=HEADS,
        num_key_value_heads=HEADS, vocab_size=VOCABULARY, use_cache=False, attn_implementation="sdpa")
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        model = transformers.LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    return model.train(), versions


def step(o):
    model, versions = lora_model(o)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0, fused=True)
    forward = torch.compile(model) if o.compile else model
    tokens = torch.randint(0, VOCABULARY, (o.batch, o.length), device="cuda")

    def one():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = forward(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(o.warmup):
        one()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()
    times = []
    for _ in range(o.steps):
        start = time.perf_counter()
        loss = one()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    times.sort()
    median = times[len(times) // 2]
    # Per token and weight 2 operations forward and 2 backward (frozen weights have no gradient), and attention's products.
    weights = o.layers * (4 * HIDDEN * HIDDEN + 3 * HIDDEN * INTERMEDIATE) + VOCABULARY * HIDDEN
    flops = 4 * o.batch * o.length * weights + 14 * o.batch * o.length * (o.length + 1) / 2 * HIDDEN * o.layers
    print(json.dumps({
        "peer": "PEFT, compiled" if o.compile else "PEFT, eager", **versions, "device": torch.cuda.get_device_name(),
        "dtype": "bf16 weights, bf16 autocast, fp32 adapter", "attention": "sdpa", "checkpointing": "none",
        "batch": o.batch, "seq": o.length, "layers": o.layers, "tokens_per_s": round(o.batch * o.length / median, 1),
        "s_per_step_median": round(median, 5), "s_per_step_min": round(times[0], 5), "s_per_step_max": round(times[-1], 5),
        "model_tflops": round(flops / median / 1e12, 1), "peak_memory_mb": round(torch.cuda.max_memory_allocated() / 1e6),
        "loss_last": round(loss.item(), 4),
    }))


if __name__ == "__main__":
    arguments = options()
    {"limits": limits, "step": step}[arguments.what](arguments)
