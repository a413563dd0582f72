namespace SafeLlama.Kernels;

/// <summary>The codes of an <see cref="Int8Format"/> as the whole numbers they are, its scales left out.</summary>
internal sealed class Int8Codes(int columns) : WeightFormat
{
    public override string Name => "codes of INT8";

    public override int BlockSize => columns;

    public override int BlockBytes => columns + Int8Format.ScaleBytes;

    public override unsafe void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
    {
        fixed (byte* stored = row[Int8Format.ScaleBytes..])
        fixed (float* to = values)
        {
            Int8Format.DecodeCodes((sbyte*)stored + first, 1, to, values.Length);
        }
    }
}
