using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Which weights are quantized, and how their rows lie in memory.</summary>
internal static class QuantizedFormats
{
    /// <summary>Whether a weight is one of those that are quantized: a matrix that is neither embedding nor head.
    /// </summary>
    public static bool IsLinear(WeightShape shape) => shape.Role == WeightRole.Matrix
        && shape.Name is not (LlamaShapes.EmbeddingName or LlamaShapes.HeadName);

    /// <summary>The format of a linear's rows.</summary>
    /// <param name="form">What the linears become.</param>
    /// <param name="stored">What the checkpoint stores them in; null where it stores elements.</param>
    public static WeightFormat Of(Shape shape, LoadForm form, Quantization? stored)
    {
        var kind = stored is null || (stored.As == LoadAs.Int8 && form.As == LoadAs.Int8Weights) ? form.As : stored.As;
        return kind switch
        {
            LoadAs.Nf4 => Nf4Format.Of(shape[1]),
            LoadAs.Int8 => new Int8Format(shape[1], stored?.Threshold ?? Quantization.UsualThreshold),
            _ => new Int8Format(shape[1], threshold: null),
        };
    }

    /// <summary>The format that a weight of a checkpoint is held in; null where it stays as it is stored.</summary>
    /// <remarks>
    /// A checkpoint that is quantized says itself which of its weights are: a head may be, where modules to skip were
    /// named, and a linear that was skipped is not.
    /// </remarks>
    public static WeightFormat? Of(CheckpointFiles files, WeightShape shape, LoadForm form, Quantization? stored)
    {
        var isQuantized = stored is null ? form.As != LoadAs.Stored && IsLinear(shape)
            : shape.Role == WeightRole.Matrix && BitsAndBytes.IsQuantized(files, shape.Name);
        return isQuantized ? Of(shape.Shape, form, stored) : null;
    }

    /// <summary>What the weights of a checkpoint take in memory once they are read in a form.</summary>
    public static long BytesOf(CheckpointFiles files, LlamaConfig config, LoadForm form)
    {
        var stored = config.Quantization;
        return LlamaShapes.Of(config).Sum(shape => Of(files, shape, form, stored) is { } format
            ? format.Bytes(shape.Shape)
            : files.Tensors.TryGetValue(shape.Name, out var found) ? found.Entry.ByteCount : 0);
    }
}
