using System.Buffers.Binary;

namespace SafeLlama.Kernels;

/// <summary>Signed bytes with one scale a row: w = code · absmax / 127, as bitsandbytes stores a weight.</summary>
/// <remarks>
/// A row is one block: its fp32 absmax, then a byte an element. With <see cref="Threshold"/> the activations that meet
/// such a weight are quantized too, row by row (Dettmers et al. 2022, "LLM.int8()", arXiv:2208.07339).
/// </remarks>
public sealed class Int8Format : WeightFormat
{
    /// <summary>Bytes of a row's absmax.</summary>
    public const int ScaleBytes = sizeof(float);

    /// <summary>One over 127, as fp32 has it.</summary>
    internal const float Step = 1f / 127;

    /// <param name="columns">Elements of a row.</param>
    /// <param name="threshold">
    /// Null where activations stay as they are. Else they are quantized too; columns with a magnitude of this or more
    /// are kept apart, none at 0.
    /// </param>
    public Int8Format(int columns, double? threshold) => (BlockSize, Threshold) = (columns, (float?)threshold);

    public float? Threshold { get; }

    public override string Name => Threshold is null ? "INT8" : "INT8 with INT8 activations";

    public override int BlockSize { get; }

    public override int BlockBytes => BlockSize + ScaleBytes;

    public override BlockCode Code => BlockSize % IBlockLayout.Run == 0 ? BlockCode.Int8 : BlockCode.Other;

    /// <summary>The factor of a row's codes.</summary>
    public static float Scale(float absmax) => absmax * Step;

    public override unsafe void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
    {
        var scale = Scale(BinaryPrimitives.ReadSingleLittleEndian(row));
        fixed (byte* stored = row[ScaleBytes..])
        fixed (float* to = values)
        {
            DecodeCodes((sbyte*)stored + first, scale, to, values.Length);
        }
    }

    /// <summary>Each code times a scale.</summary>
    internal static unsafe void DecodeCodes(sbyte* codes, float scale, float* to, int count)
    {
        var (i, factor) = (0, Lanes256.Broadcast(scale));
        for (; i <= count - Lanes256.Count; i += Lanes256.Count)
        {
            Lanes256.Store(to + i, Lanes256.Multiply(Lanes256.LoadSignedBytes(codes + i), factor));
        }

        for (; i < count; i++)
        {
            to[i] = codes[i] * scale;
        }
    }
}
