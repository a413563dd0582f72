namespace SafeLlama.Kernels;

/// <summary>Rows of a weight in host memory, as floats.</summary>
internal static unsafe class StoredRows
{
    /// <summary>One row: the memory itself where it stores Float32, otherwise a copy decoded into scratch.</summary>
    /// <param name="weight">A host tensor; a vector counts as one row.</param>
    /// <param name="row">Which row.</param>
    /// <param name="scratch">Room for one row.</param>
    public static float* Row(Tensor weight, int row, float* scratch)
    {
        if (weight.Type == DType.Float32)
        {
            return (float*)(weight.HostPointer() + (row * weight.RowBytes));
        }

        Decode(weight, row, scratch);
        return scratch;
    }

    /// <summary>Decodes one row.</summary>
    public static void Decode(Tensor weight, int row, float* values) => Decode(
        weight.Format, weight.HostPointer() + (row * weight.RowBytes), weight.RowBytes, 0,
        new Span<float>(values, weight.Columns));

    /// <summary>Decodes elements of a stored row from <paramref name="first"/> on.</summary>
    public static void Decode(WeightFormat format, byte* row, nint rowBytes, int first, Span<float> values) =>
        format.Decode(new ReadOnlySpan<byte>(row, checked((int)rowBytes)), first, values);
}
