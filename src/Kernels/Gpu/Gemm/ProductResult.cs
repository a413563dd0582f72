using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>How a product's sums become its result.</summary>
internal enum ProductEnd
{
    /// <summary>c = sums.</summary>
    Overwrite,

    /// <summary>c = beside + sums; beside may be c itself.</summary>
    Add,

    /// <summary>c = sums, and gated = silu(beside) · c.</summary>
    Gate,
}

/// <summary>Inside a kernel, where sums go: to c, by way of what stands beside it.</summary>
/// <remarks>A gated product is that of c as it is stored, so it equals the one computed from memory.</remarks>
internal readonly struct ProductResult<T>(GpuMatrix<T> beside, GpuResult<T> c, GpuResult<T> gated, ProductEnd end)
    where T : unmanaged, IGpuActivation<T>
{
    private readonly GpuMatrix<T> _beside = beside;
    private readonly GpuResult<T> _c = c;
    private readonly GpuResult<T> _gated = gated;
    private readonly ProductEnd _end = end;

    /// <summary>One element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int m, int n, float value)
    {
        if (_end == ProductEnd.Add)
        {
            value += _beside[m, n];
        }

        _c[m, n] = value;
        if (_end == ProductEnd.Gate)
        {
            _gated[m, n] = SwiGluGpu.Silu(_beside[m, n]) * T.Widen(T.Narrow(value));
        }
    }

    /// <summary>Eight elements of a row, those from <paramref name="columns"/> on left as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int m, int n, int columns, Float8 values)
    {
        if (_end == ProductEnd.Add)
        {
            values += _beside.Load(m, n, columns);
        }

        _c.Store(m, n, columns, values);
        if (_end == ProductEnd.Gate)
        {
            _gated.Store(m, n, columns, SwiGluGpu.Silu(_beside.Load(m, n, columns)) * GpuEights.Rounded<T>(values));
        }
    }
}
