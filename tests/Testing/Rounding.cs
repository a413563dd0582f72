using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>What is rounded to bf16 when a case of fp32 numbers is computed.</summary>
public enum Rounding
{
    Nothing,

    /// <summary>What ops hand to each other; weights rest as the checkpoint has them.</summary>
    Activations,

    /// <summary>Frozen weights too, so that products run on tensor cores.</summary>
    ActivationsAndWeights,
}

/// <summary>How far a case may be off when it is computed in bf16.</summary>
/// <remarks>
/// <para>bf16 keeps 8 bits: one rounding moves a number by at most 2⁻⁸ of it, and by 2⁻⁹ in the root mean square. A
/// block rounds 12 times on the way forward (two norms, q k v, their rotation, p, attention and its product, gate and
/// up, their product and its product), and 7 times more where weights are rounded: three blocks and the head, the most
/// that a case has, 60 times; there and back twice as often. The roundings are independent, so they add up as the root
/// of their number: √60 · 2⁻⁹ = 1.5e-2 forward, √120 · 2⁻⁹ = 2.1e-2 there and back, of a number's typical size.</para>
/// <para>The largest of 10⁵ such errors is 4.5 times the typical one; so is the largest number beside the typical one.
/// Relative to the largest of its tensor a number is therefore off by as much. Norms and softmax make errors larger,
/// and on the way back a slope is p (t − δ), the difference of two numbers that were both rounded: emulated and
/// interpreted, the worst case is off by 1.7 times the first figure and 3 times the second. A device adds in another
/// order, which gives other errors of the same size: tolerated is three and four times.</para>
/// </remarks>
public static class BrainTolerance
{
    /// <summary>Of logits, losses of tokens, hidden states: relative to the largest of the tensor.</summary>
    public static readonly double Forward = 3 * Math.Sqrt(60) / 512;

    /// <summary>Of gradients: relative to the largest of the tensor; of norms.</summary>
    public static readonly double Backward = 4 * Math.Sqrt(120) / 512;

    /// <summary>
    /// Of a loss, the mean over 20 tokens or more, relative to the largest logit: a tenth of what one token may be off.
    /// </summary>
    /// <remarks>
    /// Independent errors would leave a twentieth: 1/√20 of a typical one, that is 1/4.5 of the largest.
    /// </remarks>
    public static readonly double Mean = Forward / 10;

    /// <summary>
    /// Of the way that weights have gone under AdamW: their distance, relative to the length of that way.
    /// </summary>
    /// <remarks>
    /// AdamW moves every weight by about as much, however small its gradient g. With an error of ε = 2.1e-2 of the
    /// typical gradient, those weights with |g| &lt; ε go anywhere, twice the way off at most, and the others by ε /
    /// |g|. Over normal gradients the mean of the square is 0.8 ε · 2 + 0.8 ε = 2.4 ε: the root is 0.23.
    /// </remarks>
    public static readonly double Moved = 0.23;

    /// <summary>A weight after one rounding, or of base and merged weight two; relative to the largest.</summary>
    public const double Weight = 2.0 / 256;

    /// <summary>Copies a model with its matrices in bf16, as most checkpoints come.</summary>
    public static string Narrowed(string folder)
    {
        var narrowed = TestFiles.NewFolder();
        foreach (var config in Directory.EnumerateFiles(folder, "*.json"))
        {
            File.Copy(config, Path.Combine(narrowed, Path.GetFileName(config)));
        }

        using var backend = new Kernels.CpuBackend(1);
        using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(folder), folder);
        weights.Save(Path.Combine(narrowed, "model.safetensors"), Kernels.DType.BFloat16);
        File.Delete(Path.Combine(narrowed, "model.safetensors.index.json"));
        return narrowed;
    }
}
