"""A LLaMA in PyTorch, as its users would write it: the shapes of ModelShapes.cs, fp32, frozen or learning weights."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

LORA_RANK, LORA_ALPHA = 8, 16


@dataclass(frozen=True)
class Shape:
    """A model and the batch it is measured with."""

    dim: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    vocabulary: int
    batch: int
    length: int

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads


SHAPES = {
    "tiny": Shape(256, 6, 8, 8, 688, 4096, batch=8, length=256),
    "small": Shape(768, 12, 12, 12, 2048, 32000, batch=4, length=256),
    "gqa": Shape(1024, 16, 16, 8, 2816, 32000, batch=1, length=512),
}

TARGETS = {"qv": {"q", "v"}, "all": {"q", "k", "v", "o", "gate", "up", "down"}}


class Linear(nn.Module):
    """y = x Wᵀ, and (α/r) · (x Aᵀ) Bᵀ beside it where the linear is a target."""

    def __init__(self, inputs: int, outputs: int, adapted: bool, learns: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * 0.02, requires_grad=learns)
        self.a = nn.Parameter(torch.randn(LORA_RANK, inputs) / math.sqrt(inputs)) if adapted else None
        self.b = nn.Parameter(torch.zeros(outputs, LORA_RANK)) if adapted else None

    def forward(self, x):
        y = F.linear(x, self.weight)
        if self.a is None:
            return y
        # The scale goes on the [tokens, r] product, which is smaller than [tokens, outputs].
        return y + F.linear(F.linear(x, self.a) * (LORA_ALPHA / LORA_RANK), self.b)


class RmsNorm(nn.Module):
    def __init__(self, dim: int, learns: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim), requires_grad=learns)

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.weight


class Rotary(nn.Module):
    """Cosines and sines of every position, [length, head_dim]."""

    def __init__(self, shape: Shape, length: int):
        super().__init__()
        frequency = 10000.0 ** (-torch.arange(0, shape.head_dim, 2).float() / shape.head_dim)
        angle = torch.outer(torch.arange(length).float(), frequency)
        angle = torch.cat([angle, angle], -1)
        self.cos, self.sin = angle.cos(), angle.sin()

    def forward(self, x, position: int):
        """Turns x, [batch, heads, length, head_dim], whose first token stands at position."""
        end = position + x.shape[2]
        low, high = x.chunk(2, -1)
        return x * self.cos[position:end] + torch.cat([-high, low], -1) * self.sin[position:end]


def attend(query, key, value, causal_mask):
    """softmax(q kᵀ / √d) v, by the library's own function where it has one (PyTorch 2 and later)."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(query, key, value, is_causal=query.shape[2] > 1)
    length = query.shape[2]
    score = query @ key.transpose(2, 3) * (1 / math.sqrt(query.shape[-1]))
    if length > 1:
        score = score + causal_mask[:length, :length]
    return torch.softmax(score, -1) @ value


class Block(nn.Module):
    def __init__(self, shape: Shape, targets: set, learns: bool):
        super().__init__()
        self.shape = shape

        def linear(name, inputs, outputs):
            return Linear(inputs, outputs, name in targets, learns)

        keys = shape.kv_heads * shape.head_dim
        self.attention_norm, self.feed_norm = RmsNorm(shape.dim, learns), RmsNorm(shape.dim, learns)
        self.q, self.o = linear("q", shape.dim, shape.dim), linear("o", shape.dim, shape.dim)
        self.k, self.v = linear("k", shape.dim, keys), linear("v", shape.dim, keys)
        self.gate, self.up = linear("gate", shape.dim, shape.hidden), linear("up", shape.dim, shape.hidden)
        self.down = linear("down", shape.hidden, shape.dim)

    def forward(self, x, rotary, mask, cache, position):
        x = x + self.attention(self.attention_norm(x), rotary, mask, cache, position)
        h = self.feed_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def attention(self, h, rotary, mask, cache, position):
        s, (batch, length, _) = self.shape, h.shape
        query = rotary(self.q(h).view(batch, length, s.heads, s.head_dim).transpose(1, 2), position)
        key = rotary(self.k(h).view(batch, length, s.kv_heads, s.head_dim).transpose(1, 2), position)
        value = self.v(h).view(batch, length, s.kv_heads, s.head_dim).transpose(1, 2)
        if cache is not None:
            key, value = cache.append(key, value, position)
        if s.kv_heads != s.heads:
            key = key.repeat_interleave(s.heads // s.kv_heads, 1)
            value = value.repeat_interleave(s.heads // s.kv_heads, 1)
        mixed = attend(query, key, value, mask)
        return self.o(mixed.transpose(1, 2).reshape(batch, length, s.dim))


class Cache:
    """Keys and values of everything read so far, of one layer."""

    def __init__(self, shape: Shape, length: int):
        self.keys = torch.zeros(1, shape.kv_heads, length, shape.head_dim)
        self.values = torch.zeros(1, shape.kv_heads, length, shape.head_dim)

    def append(self, key, value, position):
        end = position + key.shape[2]
        self.keys[:, :, position:end], self.values[:, :, position:end] = key, value
        return self.keys[:, :, :end], self.values[:, :, :end]


class Llama(nn.Module):
    """Token ids, [batch, length], to logits, [batch, length, vocabulary]."""

    def __init__(self, shape: Shape, targets: set, learns: bool, length: int):
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.dim)
        self.embedding.weight.data.mul_(0.02)
        self.embedding.weight.requires_grad = learns
        self.blocks = nn.ModuleList([Block(shape, targets, learns) for _ in range(shape.layers)])
        self.norm = RmsNorm(shape.dim, learns)
        self.head = Linear(shape.dim, shape.vocabulary, False, learns)
        self.rotary = Rotary(shape, length)
        self.mask = torch.full((length, length), float("-inf")).triu(1)

    def forward(self, ids, caches=None, position=0):
        x = self.embedding(ids)
        for i, block in enumerate(self.blocks):
            x = block(x, self.rotary, self.mask, caches[i] if caches else None, position)
        return self.head(self.norm(x))
