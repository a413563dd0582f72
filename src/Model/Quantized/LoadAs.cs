using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>What the linears of a model become as it is read; embeddings, head, norms and biases stay.</summary>
public enum LoadAs
{
    /// <summary>As the checkpoint stores them.</summary>
    Stored,

    /// <summary>Bytes, and activations quantized too: LLM.int8().</summary>
    Int8,

    /// <summary>Bytes; activations stay as they are.</summary>
    Int8Weights,

    /// <summary>Four bits.</summary>
    Nf4,
}

/// <summary>How a model is read.</summary>
/// <param name="As">What its linears become.</param>
/// <param name="Nested">Whether NF4's absmax values are quantized once more, to a byte each.</param>
public readonly record struct LoadForm(LoadAs As, bool Nested = false)
{
    /// <summary>Quantizes nothing.</summary>
    public static LoadForm Stored => default;

    /// <summary>Whether activations are quantized where they meet a linear of such a model.</summary>
    public bool QuantizesActivations(LlamaConfig config) =>
        (As == LoadAs.Stored ? config.Quantization?.As : As) == LoadAs.Int8;

    /// <summary>What the frozen weights of a shape take in memory once they are read so.</summary>
    /// <param name="stored">The type of the checkpoint's weights.</param>
    public long BytesOf(LlamaConfig config, DType stored)
    {
        var form = this;
        return LlamaShapes.Of(config).Sum(shape => (
            form.As == LoadAs.Stored || !QuantizedFormats.IsLinear(shape)
                ? WeightFormat.Of(stored) : QuantizedFormats.Of(shape.Shape, form, stored: null)).Bytes(shape.Shape));
    }

    /// <summary>As the options say it: <c>nf4 nested</c>.</summary>
    public override string ToString() => SettingText.Of(As) + (Nested ? " nested" : "");
}
