using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>What a step must compute and hold: the model's own count, against which measurements are read.</summary>
internal static class StepCost
{
    /// <summary>
    /// Floating-point operations of the matrix products of one step; everything else is linear and small.
    /// </summary>
    /// <remarks>
    /// With N rows, P weights of the linears and the head, S pairs of a query and a key it sees, H·d query columns and
    /// L layers: forward 2·N·P + 4·S·H·d·L. Backward through the linears is as much again, less what lies below the
    /// lowest adapter; the weights' own gradients, where they learn, are as much once more. Attention's backward has
    /// five products where forward has two. A pair of rank r between i inputs and o outputs costs 2·N·r·(i + o), and
    /// twice that backward.
    /// </remarks>
    public static double Flops(StepOptions o) => o.Mode switch
    {
        "decode" => Decoding(o),
        "full" => (3 * Linears(o.Shape, o.Shape.Rows)) + (3.5 * Attention(o.Shape)),
        _ => (2 * Linears(o.Shape, o.Shape.Rows)) - BelowTheLowestAdapter(o.Shape) + (3.5 * Attention(o.Shape))
            + (3 * Adapters(o)),
    };

    /// <summary>
    /// The bytes of weights that one step of decoding reads: every linear and the head, once for the whole batch.
    /// </summary>
    public static long WeightBytes(ModelShape shape, DType type) => (long)Linears(shape, rows: 1) / 2 * type.Size();

    /// <summary>The operations of one token's products with those weights.</summary>
    public static double TokenFlops(ModelShape shape) => Linears(shape, rows: 1);

    /// <summary>
    /// Weights, what learns with its gradient and two moments, and activations: what the tensors take in memory.
    /// </summary>
    public static long Bytes(StepOptions o, Llama model, Workspace workspace)
    {
        var learns = model.Parameters.Sum(p => p.Value.ByteCount);
        var frozen = o.Mode == "full" ? 0 : LlamaShapes.Of(o.Shape.Config).Sum(w => w.Shape.Count * o.Weights.Size());
        return frozen + (4 * learns) + workspace.ByteCount;
    }

    private static double Linears(ModelShape shape, int rows)
    {
        var c = shape.Config;
        var block = LlamaShapes.LinearNames.Sum(name => LlamaShapes.LinearShape(c, name).Count);
        return 2.0 * rows * ((c.Layers * block) + ((long)c.VocabularySize * c.HiddenSize));
    }

    /// <summary>Forward: q·k and p·v for every pair.</summary>
    private static double Attention(ModelShape shape)
    {
        var (c, length) = (shape.Config, (double)shape.Length);
        return 4 * shape.Batch * length * (length + 1) / 2 * c.Heads * c.HeadDim * c.Layers;
    }

    /// <summary>Nothing below the first block's q, k and v asks for a gradient.</summary>
    private static double BelowTheLowestAdapter(ModelShape shape) =>
        2.0 * shape.Rows * new[] { "q_proj", "k_proj", "v_proj" }
            .Sum(name => LlamaShapes.LinearShape(shape.Config, name).Count);

    private static double Adapters(StepOptions o)
    {
        var names = o.Targets == "all" ? LlamaShapes.LinearNames : ["q_proj", "v_proj"];
        var sides = names.Select(name => LlamaShapes.LinearShape(o.Shape.Config, name))
            .Sum(shape => shape[0] + shape[1]);
        return 2.0 * o.Shape.Rows * StepBenchmark.Rank * sides * o.Shape.Config.Layers;
    }

    private static double Decoding(StepOptions o)
    {
        var one = o.Shape with { Batch = o.Sequences, Length = o.Generated };
        return Linears(o.Shape, o.Sequences * o.Generated) + Attention(one);
    }
}
