"""A training step, or a greedy generation, in PyTorch on the CPU: takes the options of `benchmarks -- step`, prints its line."""

import argparse
import json
import resource
import time

import blas  # before torch, which loads the BLAS
import torch
from torch.nn import functional as F

from model import SHAPES, TARGETS, Cache, Llama


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=SHAPES, default="tiny")
    parser.add_argument("--mode", choices=["lora", "full", "decode"], default="lora")
    parser.add_argument("--targets", choices=TARGETS, default="qv", help="which linears carry an adapter (lora)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10, help="measured steps")
    parser.add_argument("--warmup", type=int, default=2, help="steps before those")
    parser.add_argument("--gen", type=int, default=200, help="tokens of one generation (decode)")
    return parser.parse_args()


def training_step(model, shape):
    """Forward, loss, backward, AdamW, on one batch of random tokens; the arithmetic does not depend on their values."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0)
    tokens = torch.randint(0, shape.vocabulary, (shape.batch, shape.length + 1))
    inputs, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].reshape(-1)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(inputs).view(-1, shape.vocabulary), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def generation(model, shape, count):
    """The likeliest token, again and again, from one first token."""
    caches = [Cache(shape, count) for _ in range(shape.layers)]

    @torch.inference_mode()
    def step():
        token = 1
        for position in range(count):
            token = model(torch.tensor([[token]]), caches, position).argmax(-1).item()

    return step


def measure(step, warmup, steps):
    for _ in range(warmup):
        step()
    seconds, processor, result = [], time.process_time(), None
    for _ in range(steps):
        start = time.perf_counter()
        result = step()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds), (time.process_time() - processor) / steps, result


def main():
    o = options()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    shape, decodes = SHAPES[o.config], o.mode == "decode"
    model = Llama(shape, TARGETS[o.targets] if o.mode == "lora" else set(), o.mode == "full", max(shape.length, o.gen))
    step = generation(model, shape, o.gen) if decodes else training_step(model, shape)
    seconds, processor, loss = measure(step, o.warmup, o.steps)
    median = seconds[len(seconds) // 2]
    print(json.dumps({
        "peer": "PyTorch " + torch.__version__,
        "blas": blas.name(),
        "config": o.config,
        "mode": o.mode,
        "targets": o.targets if o.mode == "lora" else None,
        "dtype": "fp32",
        "threads": o.threads,
        "batch": 1 if decodes else shape.batch,
        "seq": o.gen if decodes else shape.length,
        "steps": len(seconds),
        "tokens_per_s": round((o.gen if decodes else shape.batch * shape.length) / median, 2),
        "s_per_step_median": round(median, 5),
        "s_per_step_min": round(seconds[0], 5),
        "s_per_step_max": round(seconds[-1], 5),
        "cpu_s_per_step": round(processor, 5),
        "loss_last": loss,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
