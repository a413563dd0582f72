using System.Buffers;
using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>A named, typed, row-major view of a backend's memory, which it does not own.</summary>
/// <remarks>
/// Rows may be padded by their backend: element [n, i] is at n · <see cref="RowStride"/> + i. Reading and writing from
/// the host convert to and from the stored type and skip the padding.
/// </remarks>
public sealed class Tensor
{
    private readonly Tensor? _of;
    private Storage? _storage;

    internal Tensor(Storage? storage, long byteOffset, Shape shape, WeightFormat format, int rowStride, string name)
    {
        (_storage, ByteOffset, Shape, Format, RowStride, Name) = (storage, byteOffset, shape, format, rowStride, name);
        (Type, RowBytes) = (format.Type, (nint)format.RowBytes(rowStride));
    }

    /// <summary>A view of rows of a matrix, which may still be planned.</summary>
    private Tensor(Tensor of, long byteOffset, Shape shape)
        : this(of, byteOffset, shape, of.Format, of.RowStride)
    {
    }

    private Tensor(Tensor of, long byteOffset, Shape shape, WeightFormat format, int rowStride)
        : this(of._storage, byteOffset, shape, format, rowStride, of.Name) => _of = of;

    /// <summary>A view of all of <paramref name="shape"/>, densely packed, at a place in existing memory.</summary>
    public static Tensor Over(Storage storage, long byteOffset, Shape shape, WeightFormat format, string name) =>
        new(storage, byteOffset, shape, format, shape.AsMatrix().Columns, name);

    /// <summary>The same, of elements that stand alone.</summary>
    public static Tensor Over(Storage storage, long byteOffset, Shape shape, DType type, string name) =>
        Over(storage, byteOffset, shape, WeightFormat.Of(type), name);

    public string Name { get; }

    public Shape Shape { get; }

    /// <summary>How rows are stored.</summary>
    public WeightFormat Format { get; }

    /// <summary>The elements' type; <see cref="DType.Blocks"/> where they are parts of blocks.</summary>
    public DType Type { get; }

    /// <summary>Bytes from one row to the next.</summary>
    public nint RowBytes { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int RowStride { get; }

    /// <summary>Where the first element stands in <see cref="Storage"/>.</summary>
    public long ByteOffset { get; private set; }

    public Storage Storage => _storage ?? _of?.Storage ?? throw new InvalidOperationException(
        $"Tensor '{Name}' is planned, not yet allocated: call Arena.Commit first.");

    /// <summary>
    /// Counts writes by the host and the optimizer; results computed from the values are valid while the count is
    /// unchanged.
    /// </summary>
    public int Version { get; private set; }

    public int Rows => Shape.AsMatrix().Rows;

    public int Columns => Shape.AsMatrix().Columns;

    /// <summary>The bytes from the first element to the end of the last row, padding included.</summary>
    public long ByteCount => Rows * (long)RowBytes;

    /// <summary>
    /// A matrix of <paramref name="count"/> rows from row <paramref name="first"/> on, over the same memory.
    /// </summary>
    public Tensor Slice(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, Rows);
        return new Tensor(this, RowOffset(first), new(count, Columns));
    }

    /// <summary>The first columns of every row, over the same memory.</summary>
    public Tensor FirstColumns(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Columns);
        return new Tensor(this, ByteOffset, new(Rows, count));
    }

    /// <summary>
    /// A vector of <paramref name="count"/> elements from <paramref name="first"/> on, over the same memory.
    /// </summary>
    public Tensor SliceVector(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Shape.Rank, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, Shape[0]);
        return new Tensor(Storage, ByteOffset + ((long)first * Type.Size()), new(count), Format, count, Name);
    }

    /// <summary>
    /// A matrix of the same shape in a type no larger, over the same memory: its row n is a part of row n of this.
    /// </summary>
    /// <param name="type">Of a size that divides this type's.</param>
    /// <param name="part">Which part: 0 begins where the row does.</param>
    public Tensor Overlay(DType type, int part = 0)
    {
        var factor = Type.Size() / type.Size();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(part, factor);
        var offset = ByteOffset + ((long)part * Columns * type.Size());
        return new Tensor(this, offset, Shape, WeightFormat.Of(type), factor * RowStride);
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
        RequireCount(values.Length);
        var (rows, columns) = Shape.AsMatrix();
        var rowBytes = (int)Format.RowBytes(columns);
        var rented = ArrayPool<byte>.Shared.Rent(rowBytes);
        var bytes = rented.AsSpan(0, rowBytes);
        for (var row = 0; row < rows; row++)
        {
            Storage.Read(RowOffset(row), bytes);
            TensorConvert.ToDoubles(bytes, Format, values.Slice(row * columns, columns));
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
        RequireCount(values.Length);
        Written();
        var (rows, columns) = Shape.AsMatrix();
        var bytes = new byte[Format.RowBytes(columns)];
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

    /// <summary>Records that an optimizer changed the values.</summary>
    internal void Written()
    {
        Version++;
        _of?.Written();
    }

    /// <summary>A planned tensor receives its memory.</summary>
    internal void Bind(Storage storage) => _storage = storage;

    private T[] ReadExact<T>()
        where T : unmanaged
    {
        RequireStored<T>();
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
        RequireStored<T>();
        RequireCount(values.Length);
        Written();
        for (var row = 0; row < Rows; row++)
        {
            Storage.Write(RowOffset(row), MemoryMarshal.AsBytes(values.Slice(row * Columns, Columns)));
        }
    }

    private long RowOffset(int row) => ByteOffset + ((long)row * RowBytes);

    /// <exception cref="ArgumentException">
    /// The elements are not of type <typeparamref name="T"/>, even if their size is the same.
    /// </exception>
    internal void RequireStored<T>()
    {
        var stored = Type switch
        {
            DType.Float64 => typeof(double),
            DType.Float32 => typeof(float),
            DType.Int32 => typeof(int),
            DType.Blocks => null,
            _ => typeof(ushort),
        };
        if (stored != typeof(T))
        {
            throw new ArgumentException(
                $"Tensor '{Name}' stores {(Type == DType.Blocks ? Format.Name : Type)}, which is not "
                + $"{typeof(T).Name}.");
        }
    }

    private void RequireCount(int count)
    {
        if (count != Shape.Count)
        {
            throw new ArgumentException($"Tensor '{Name}' has {Shape.Count} elements {Shape}, got {count} values.");
        }
    }
}
