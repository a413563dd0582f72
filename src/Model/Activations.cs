using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The tensors that a forward pass writes, for N rows.</summary>
/// <remarks>
/// For training every block keeps its own, or with <see cref="Recompute.Block"/> its input only: then, and for
/// generation and scoring, all blocks lie over the same memory. Without a backward the residual stream alternates
/// between two tensors.
/// </remarks>
public sealed class Activations
{
    private readonly Tensor[] _hidden;
    private readonly BlockActivations[] _blocks;

    internal Activations(Arena arena, Llama model, int rows, bool forBackward, Recompute recompute)
    {
        (Rows, Recompute) = (rows, recompute);
        var config = model.Config;
        var backend = arena.Backend;
        var shared = new SharedActivations(arena, config, rows, forBackward ? backend.Kept : backend.Activation);
        _hidden = [.. Enumerable.Range(0, forBackward ? config.Layers + 1 : 2)
            .Select(i => arena.Take(new(rows, config.HiddenSize), arena.Backend.Accumulation, $"hidden.{i}"))];
        var (start, keepsBlocks) = (arena.Position, forBackward && recompute == Recompute.Nothing);
        _blocks = [.. model.Blocks.Select(block =>
        {
            arena.Position = keepsBlocks ? arena.Position : start;
            return new BlockActivations(arena, config, block, rows, shared);
        })];
        arena.Position = arena.ByteCount;
        ChosenU = new LoraScratch(arena, model.Choices, rows);
    }

    /// <summary>N.</summary>
    public int Rows { get; }

    /// <summary>What backward recomputes before it uses a block's activations.</summary>
    public Recompute Recompute { get; }

    /// <summary>Where the adapters that rows choose have their u.</summary>
    public LoraScratch ChosenU { get; }

    /// <summary>[N, D] the residual stream after the last block, before the final norm.</summary>
    public Tensor Output => Hidden(_blocks.Length);

    /// <summary>[N, D] the input of block <paramref name="layer"/>.</summary>
    public Tensor Hidden(int layer) => _hidden[layer % _hidden.Length];

    public BlockActivations Block(int layer) => _blocks[layer];
}
