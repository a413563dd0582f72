namespace SafeLlama.Kernels;

/// <summary>Stored weights (Float32, BFloat16, Float16) read as floats.</summary>
internal static unsafe class Widen
{
    /// <summary>
    /// One row of a weight: the memory itself where it stores Float32, otherwise widened into scratch.
    /// </summary>
    /// <param name="weight">A host tensor; a vector is its own only row.</param>
    /// <param name="row">Which row.</param>
    /// <param name="scratch">Room for one row.</param>
    public static float* Row(Tensor weight, int row, float* scratch)
    {
        var stored = weight.HostPointer() + ((long)row * weight.RowStride * weight.Type.Size());
        if (weight.Type == DType.Float32)
        {
            return (float*)stored;
        }

        ToFloats(stored, weight.Type, scratch, weight.Columns);
        return scratch;
    }

    /// <summary>Widens <paramref name="count"/> stored elements, exactly.</summary>
    /// <exception cref="ArgumentException">The type is none that weights rest in.</exception>
    public static void ToFloats(byte* stored, DType type, float* floats, int count)
    {
        var i = 0;
        switch (type)
        {
            case DType.Float32:
                new ReadOnlySpan<float>(stored, count).CopyTo(new Span<float>(floats, count));
                break;
            case DType.BFloat16:
                for (; i <= count - Lanes256.Count; i += Lanes256.Count)
                {
                    Lanes256.Store(floats + i, Lanes256.LoadBFloat16((ushort*)stored + i));
                }

                for (; i < count; i++)
                {
                    floats[i] = DTypes.WidenBFloat16(((ushort*)stored)[i]);
                }

                break;
            case DType.Float16:
                for (; i <= count - Lanes256.Count; i += Lanes256.Count)
                {
                    Lanes256.Store(floats + i, Lanes256.LoadFloat16((ushort*)stored + i));
                }

                for (; i < count; i++)
                {
                    floats[i] = (float)((Half*)stored)[i];
                }

                break;
            default:
                throw new ArgumentException($"Weights rest in Float32, BFloat16 or Float16, not in {type}.");
        }
    }
}
