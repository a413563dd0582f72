using System.Buffers;
using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>A named, typed, row-major view of a backend's memory. It owns nothing.</summary>
/// <remarks>
/// Rows may be padded by their backend: element [n, i] stands at n · <see cref="RowStride"/> + i. Reading and writing
/// from the host convert to and from the stored type and skip the padding.
/// </remarks>
public sealed class Tensor
{
    private Storage? _storage;

    internal Tensor(Storage? storage, long byteOffset, Shape shape, DType type, int rowStride, string name)
    {
        (_storage, ByteOffset, Shape, Type, RowStride, Name) = (storage, byteOffset, shape, type, rowStride, name);
    }

    /// <summary>A view of all of <paramref name="shape"/>, densely packed, at a place in existing memory.</summary>
    public static Tensor Over(Storage storage, long byteOffset, Shape shape, DType type, string name) =>
        new(storage, byteOffset, shape, type, shape.AsMatrix().Columns, name);

    public string Name { get; }

    public Shape Shape { get; }

    public DType Type { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int RowStride { get; }

    /// <summary>Where the first element stands in <see cref="Storage"/>.</summary>
    public long ByteOffset { get; private set; }

    public Storage Storage => _storage ?? throw new InvalidOperationException(
        $"Tensor '{Name}' is planned, not yet allocated: call Arena.Commit first.");

    public int Rows => Shape.AsMatrix().Rows;

    public int Columns => Shape.AsMatrix().Columns;

    /// <summary>The bytes from the first element to the end of the last row, padding included.</summary>
    public long ByteCount => (long)Rows * RowStride * Type.Size();

    /// <summary>
    /// A matrix of <paramref name="count"/> rows from row <paramref name="first"/> on, over the same memory.
    /// </summary>
    public Tensor Slice(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, Rows);
        return new Tensor(Storage, RowOffset(first), new(count, Columns), Type, RowStride, Name);
    }

    /// <summary>
    /// A vector of <paramref name="count"/> elements from <paramref name="first"/> on, over the same memory.
    /// </summary>
    public Tensor SliceVector(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Shape.Rank, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, Shape[0]);
        return new Tensor(Storage, ByteOffset + ((long)first * Type.Size()), new(count), Type, count, Name);
    }

    /// <summary>Sets every element, and the padding, to zero.</summary>
    public void Clear() => Storage.Clear(ByteOffset, ByteCount);

    /// <summary>Copies all elements to the host, widened to double.</summary>
    public double[] ReadDoubles()
    {
        var values = new double[Shape.Count];
        ReadDoubles(values);
        return values;
    }

    /// <summary>Copies all elements to memory of the host, widened to double.</summary>
    public void ReadDoubles(Span<double> values)
    {
        MustFill(values.Length);
        var (rows, columns) = Shape.AsMatrix();
        var rented = ArrayPool<byte>.Shared.Rent(columns * Type.Size());
        var bytes = rented.AsSpan(0, columns * Type.Size());
        for (var row = 0; row < rows; row++)
        {
            Storage.Read(RowOffset(row), bytes);
            TensorConvert.ToDoubles(bytes, Type, values.Slice(row * columns, columns));
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Copies all elements to the host as floats.</summary>
    public float[] ReadFloats() =>
        Type == DType.Float32 ? ReadExact<float>() : Array.ConvertAll(ReadDoubles(), x => (float)x);

    /// <summary>Copies an <see cref="DType.Int32"/> tensor to the host.</summary>
    public int[] ReadInts() => ReadExact<int>();

    /// <summary>Writes all elements, rounded to the stored type.</summary>
    public void Write(ReadOnlySpan<double> values)
    {
        MustFill(values.Length);
        var (rows, columns) = Shape.AsMatrix();
        var bytes = new byte[columns * Type.Size()];
        for (var row = 0; row < rows; row++)
        {
            TensorConvert.FromDoubles(values.Slice(row * columns, columns), Type, bytes);
            Storage.Write(RowOffset(row), bytes);
        }
    }

    /// <summary>Writes all elements, rounded to the stored type.</summary>
    public void Write(ReadOnlySpan<float> values)
    {
        if (Type == DType.Float32)
        {
            WriteExact(values);
            return;
        }

        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = values[i];
        }

        Write(wide);
    }

    /// <summary>Writes all elements of an <see cref="DType.Int32"/> tensor.</summary>
    public void Write(ReadOnlySpan<int> values) => WriteExact(values);

    public override string ToString() => $"{Name} {Shape} {Type}";

    /// <summary>A planned tensor receives its memory.</summary>
    internal void Bind(Storage storage) => _storage = storage;

    private T[] ReadExact<T>()
        where T : unmanaged
    {
        MustStore<T>();
        var values = new T[Shape.Count];
        for (var row = 0; row < Rows; row++)
        {
            Storage.Read(RowOffset(row), MemoryMarshal.AsBytes(values.AsSpan(row * Columns, Columns)));
        }

        return values;
    }

    private void WriteExact<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        MustStore<T>();
        MustFill(values.Length);
        for (var row = 0; row < Rows; row++)
        {
            Storage.Write(RowOffset(row), MemoryMarshal.AsBytes(values.Slice(row * Columns, Columns)));
        }
    }

    private long RowOffset(int row) => ByteOffset + ((long)row * RowStride * Type.Size());

    /// <exception cref="ArgumentException">
    /// The elements are no <typeparamref name="T"/>, though they may be as large.
    /// </exception>
    internal void MustStore<T>()
    {
        var stored = Type switch
        {
            DType.Float64 => typeof(double),
            DType.Float32 => typeof(float),
            DType.Int32 => typeof(int),
            _ => typeof(ushort),
        };
        if (stored != typeof(T))
        {
            throw new ArgumentException($"Tensor '{Name}' stores {Type}, which is not {typeof(T).Name}.");
        }
    }

    private void MustFill(int count)
    {
        if (count != Shape.Count)
        {
            throw new ArgumentException($"Tensor '{Name}' has {Shape.Count} elements {Shape}, got {count} values.");
        }
    }
}
