using System.Runtime.CompilerServices;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// A tensor inside a kernel, read as fp32: row n begins offset + n · stride units into its memory.
/// </summary>
/// <remarks>
/// The view is of the whole allocation, which is aligned; the offset moves within it, since compiled code may assume
/// alignment of what a view begins with.
/// </remarks>
internal readonly struct GpuMatrix<T>(ArrayView<T> memory, long offset, long stride)
    where T : unmanaged, IGpuStored<T>
{
    private readonly ArrayView<T> _memory = memory;
    private readonly long _offset = offset;
    private readonly long _stride = stride;

    public float this[long row, int column] => T.Read(_memory, _offset + (row * _stride), column);

    /// <summary>Eight elements from a column on, with those past the end replaced.</summary>
    /// <param name="end">The first column that is not read.</param>
    /// <param name="outside">What stands for it and those behind.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 Load(long row, int column, int end, float outside = 0f) =>
        T.Read(_memory, _offset + (row * _stride), column, end - column, outside);

    /// <summary>The first unit of a row, in which some blocks keep a scale.</summary>
    public T FirstOf(long row) => _memory[_offset + (row * _stride)];
}

/// <summary>A tensor that a kernel writes: <see cref="GpuMatrix{T}"/> of a form that numbers are rounded to.</summary>
internal readonly struct GpuResult<T>(ArrayView<T> memory, long offset, long stride)
    where T : unmanaged, IGpuActivation<T>
{
    private readonly ArrayView<T> _memory = memory;
    private readonly long _offset = offset;
    private readonly long _stride = stride;

    public float this[long row, long column]
    {
        get => T.Widen(_memory[_offset + (row * _stride) + column]);
        set => _memory[_offset + (row * _stride) + column] = T.Narrow(value);
    }

    /// <summary>As <see cref="GpuMatrix{T}.Load"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 Load(long row, long column, long end, float outside = 0f) =>
        GpuEights.Load(_memory, _offset + (row * _stride) + column, end - column, outside);

    /// <summary>Writes eight elements from a column on; those past the end are left as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(long row, long column, long end, Float8 values) =>
        GpuEights.Store(_memory, _offset + (row * _stride) + column, end - column, values);
}

/// <summary>A vector of fp32: statistics, biases, gradients of scales.</summary>
internal readonly struct GpuFloats(ArrayView<float> memory, long offset)
{
    private readonly ArrayView<float> _memory = memory;
    private readonly long _offset = offset;

    public float this[long index]
    {
        get => _memory[_offset + index];
        set => _memory[_offset + index] = value;
    }
}

/// <summary>A vector of whole numbers: tokens, positions, rows, key ranges.</summary>
internal readonly struct GpuInts(ArrayView<int> memory, long offset)
{
    private readonly ArrayView<int> _memory = memory;
    private readonly long _offset = offset;

    public int this[long index] => _memory[_offset + index];
}

/// <summary>Totals in fp64.</summary>
internal readonly struct GpuDoubles(ArrayView<double> memory, long offset)
{
    private readonly ArrayView<double> _memory = memory;
    private readonly long _offset = offset;

    public double this[long index]
    {
        get => _memory[_offset + index];
        set => _memory[_offset + index] = value;
    }
}

/// <summary>
/// A small frozen vector in whichever form it came: a bias, a norm's scale. The form is looked up at each read.
/// </summary>
internal readonly struct GpuWeights(ArrayView<float> floats, ArrayView<ushort> halves, long offset, int type)
{
    private readonly ArrayView<float> _floats = floats;
    private readonly ArrayView<ushort> _halves = halves;
    private readonly long _offset = offset;
    private readonly int _type = type;

    public float this[long index] => _type switch
    {
        (int)DType.Float32 => _floats[_offset + index],
        (int)DType.BFloat16 => GpuBFloat16.Widen(new(_halves[_offset + index])),
        _ => GpuFloat16.Widen(new(_halves[_offset + index])),
    };

    /// <summary>Eight elements, those from <paramref name="end"/> on zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 Load(long index, long end)
    {
        var (at, left) = (_offset + index, end - index);
        return _type == (int)DType.Float32 ? GpuEights.Load(_floats.Cast<GpuFloat32>(), at, left, 0f)
            : _type == (int)DType.BFloat16 ? GpuEights.Load(_halves.Cast<GpuBFloat16>(), at, left, 0f)
            : GpuEights.Load(_halves.Cast<GpuFloat16>(), at, left, 0f);
    }
}

/// <summary>Eights in memory: whole accesses where eight are left and aligned, else one element at a time.</summary>
internal static class GpuEights
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Load<T>(ArrayView<T> memory, long at, long left, float outside)
        where T : unmanaged, IGpuElement<T>
    {
        if (left >= Float8.Count && (at & 7) == 0)
        {
            return T.Load(memory, at);
        }

        return new(
            One(memory, at, left, 0, outside), One(memory, at, left, 1, outside),
            One(memory, at, left, 2, outside), One(memory, at, left, 3, outside),
            One(memory, at, left, 4, outside), One(memory, at, left, 5, outside),
            One(memory, at, left, 6, outside), One(memory, at, left, 7, outside));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(ArrayView<T> memory, long at, long left, Float8 values)
        where T : unmanaged, IGpuActivation<T>
    {
        if (left >= Float8.Count && (at & 7) == 0)
        {
            T.Store(memory, at, values);
            return;
        }

        StoreOne(memory, at, left, 0, values.A);
        StoreOne(memory, at, left, 1, values.B);
        StoreOne(memory, at, left, 2, values.C);
        StoreOne(memory, at, left, 3, values.D);
        StoreOne(memory, at, left, 4, values.E);
        StoreOne(memory, at, left, 5, values.F);
        StoreOne(memory, at, left, 6, values.G);
        StoreOne(memory, at, left, 7, values.H);
    }

    /// <summary>What reading finds after eight numbers were stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Rounded<T>(Float8 x)
        where T : unmanaged, IGpuActivation<T> => new(
        T.Widen(T.Narrow(x.A)), T.Widen(T.Narrow(x.B)), T.Widen(T.Narrow(x.C)), T.Widen(T.Narrow(x.D)),
        T.Widen(T.Narrow(x.E)), T.Widen(T.Narrow(x.F)), T.Widen(T.Narrow(x.G)), T.Widen(T.Narrow(x.H)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float One<T>(ArrayView<T> memory, long at, long left, int lane, float outside)
        where T : unmanaged, IGpuElement<T> => lane < left ? T.Widen(memory[at + lane]) : outside;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreOne<T>(ArrayView<T> memory, long at, long left, int lane, float value)
        where T : unmanaged, IGpuActivation<T>
    {
        if (lane < left)
        {
            memory[at + lane] = T.Narrow(value);
        }
    }
}
