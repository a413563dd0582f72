namespace SafeLlama.Kernels;

/// <summary>A host tensor read by rows: <c>xs[n]</c> is the span of row n.</summary>
/// <remarks>Unlike a span it may be captured by a lambda. Valid as long as the tensor's memory is.</remarks>
public readonly unsafe struct Rows<T>
    where T : unmanaged
{
    private readonly T[]? _copy;

    internal Rows(T* pointer, int stride, int columns)
    {
        Pointer = pointer;
        (Stride, Columns) = (stride, columns);
    }

    internal Rows(T[] copy, int columns) => (_copy, Stride, Columns) = (copy, columns, columns);

    /// <summary>The first element of the first row; null where the rows are a widened copy.</summary>
    public T* Pointer { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int Stride { get; }

    public int Columns { get; }

    /// <summary>The address of a row's first element, for loops that load vectors.</summary>
    public T* At(int row) => Pointer + ((long)row * Stride);

    public Span<T> this[int row] => _copy is null
        ? new(Pointer + ((long)row * Stride), Columns)
        : _copy.AsSpan(row * Stride, Columns);
}

/// <summary>A host vector: <c>xs[i]</c> is element i.</summary>
/// <remarks>Unlike a span it may be captured by a lambda or be part of a tuple.</remarks>
public readonly unsafe struct Elements<T>
    where T : unmanaged
{
    private readonly T[]? _copy;

    internal Elements(T* pointer, int count)
    {
        Pointer = pointer;
        Count = count;
    }

    internal Elements(T[] copy) => (_copy, Count) = (copy, copy.Length);

    /// <summary>The first element; null where this is a widened copy.</summary>
    public T* Pointer { get; }

    public int Count { get; }

    public ref T this[int index] => ref AsSpan()[index];

    public Span<T> AsSpan() => _copy is null ? new Span<T>(Pointer, Count) : _copy;
}

/// <summary>Host tensors as rows and elements, without a copy where the type allows it.</summary>
public static unsafe class RowsExtensions
{
    /// <summary>The elements of a host vector, or of a matrix of one row.</summary>
    /// <exception cref="ArgumentException">
    /// There are several rows, or it does not store <typeparamref name="T"/>.
    /// </exception>
    public static Elements<T> AsElements<T>(this Tensor tensor)
        where T : unmanaged
    {
        var rows = tensor.AsRows<T>();
        return tensor.Rows <= 1 ? new Elements<T>(rows.Pointer, rows.Columns) : throw new ArgumentException(
            $"Tensor '{tensor.Name}' {tensor.Shape} has {tensor.Rows} rows, expected a vector.");
    }

    /// <summary>The elements of a host vector as doubles: the memory itself, or a widened copy to read from.</summary>
    public static Elements<double> AsDoubleElements(this Tensor tensor) =>
        tensor.Type == DType.Float64 ? tensor.AsElements<double>() : new Elements<double>(tensor.ReadDoubles());

    /// <summary>The rows of a host tensor that stores exactly <typeparamref name="T"/>.</summary>
    public static Rows<T> AsRows<T>(this Tensor tensor)
        where T : unmanaged
    {
        tensor.RequireStored<T>();
        return new Rows<T>((T*)tensor.HostPointer(), tensor.RowStride, tensor.Columns);
    }

    /// <summary>
    /// The rows as doubles: the memory itself where it stores Float64, else a widened copy to read from.
    /// </summary>
    public static Rows<double> AsDoubles(this Tensor tensor) =>
        tensor.Type == DType.Float64 ? tensor.AsRows<double>() : new Rows<double>(tensor.ReadDoubles(), tensor.Columns);

    /// <summary>The address of a host tensor's first element.</summary>
    public static byte* HostPointer(this Tensor tensor) => tensor.Storage is HostMemory memory
        ? memory.Pointer + tensor.ByteOffset
        : throw new ArgumentException($"Tensor '{tensor.Name}' is not in host memory.");
}
