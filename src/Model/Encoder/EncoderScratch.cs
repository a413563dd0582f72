using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One layer's worth of an encoder's gradients, reused by every layer of a backward pass.</summary>
public sealed class EncoderScratch
{
    internal EncoderScratch(Arena arena, EncoderClassifier model, int rows, int sequences)
    {
        var c = model.Config;
        var (d, distances) = (c.HiddenSize, 2 * c.DistanceSpan);
        Tensor Take(int count, int columns, string name) => arena.Take(new(count, columns), name);
        (Stream, Sum) = (Take(rows, d, "d_stream"), Take(rows, d, "d_sum"));
        Inner = Take(rows, c.IntermediateSize, "d_inner");
        Attended = Take(rows, d, "d_attended");
        Attention = new(
            Take(rows, d, "d_query"), Take(rows, d, "d_key"), Take(rows, d, "d_value"),
            Take(distances, d, "d_relative_key"), Take(distances, d, "d_relative_query"),
            arena.Take(new(rows, c.Heads), arena.Backend.Accumulation, "delta"));
        (Relative, Distances) = (Take(distances, d, "d_relative"), Take(distances, d, "d_distances"));
        (Logits, Activated, First) = (
            arena.Take(new(sequences, c.Labels), arena.Backend.Accumulation, "d_logits"),
            Take(sequences, d, "d_activated"), Take(sequences, d, "d_first"));
        (Lora, RelativeLora) = (new(arena, model.Adapter, rows), new(arena, model.Adapter, distances));
    }

    /// <summary>[N, D] ∂loss/∂ a layer's output, then its input.</summary>
    public Tensor Stream { get; }

    /// <summary>[N, D] ∂loss/∂ what a norm reads, then ∂loss/∂ the layer's middle.</summary>
    public Tensor Sum { get; }

    /// <summary>[N, F].</summary>
    public Tensor Inner { get; }

    /// <summary>[N, D].</summary>
    public Tensor Attended { get; }

    /// <summary>Queries, keys, values and both kinds of distances.</summary>
    public DisentangledGradients Attention { get; }

    /// <summary>[2B, D] ∂loss/∂ the normalized table of distances, summed over layers.</summary>
    public Tensor Relative { get; }

    /// <summary>[2B, D] ∂loss/∂ the table.</summary>
    public Tensor Distances { get; }

    /// <summary>[S, labels] ∂loss/∂logits, given.</summary>
    public Tensor Logits { get; }

    /// <summary>[S, D].</summary>
    public Tensor Activated { get; }

    /// <summary>[S, D].</summary>
    public Tensor First { get; }

    /// <summary>For linears that read tokens.</summary>
    public LoraScratch Lora { get; }

    /// <summary>For linears that read distances.</summary>
    public LoraScratch RelativeLora { get; }
}
