namespace SafeLlama.Kernels;

/// <summary>One allocation, many named tensors, one Dispose.</summary>
/// <remarks>
/// Tensors are planned first (<see cref="Take(Shape, string)"/>), so the memory of a model is known before any is
/// allocated; <see cref="Commit"/> then allocates all of it, set to zero, or <see cref="CommitOver"/> lays it over
/// memory that is there already.
/// </remarks>
public sealed class Arena(IBackend backend, string name) : IDisposable
{
    /// <summary>
    /// Tensors begin at multiples of so many bytes: whole cache lines, and what a device's loads want.
    /// </summary>
    private const int Alignment = 256;

    private readonly List<Tensor> _tensors = [];
    private Storage? _storage;
    private bool _borrowed;

    public string Name => name;

    public IBackend Backend => backend;

    /// <summary>The bytes planned so far.</summary>
    public long ByteCount { get; private set; }

    /// <summary>Where the next tensor goes; setting it back lays what follows over what was planned since.</summary>
    public long Position { get; set; }

    public IReadOnlyList<Tensor> Tensors => _tensors;

    /// <summary>Plans a tensor in the backend's activation type.</summary>
    public Tensor Take(Shape shape, string name) => Take(shape, backend.Activation, name);

    /// <summary>Plans a tensor.</summary>
    public Tensor Take(Shape shape, DType type, string name)
    {
        if (_storage is not null)
        {
            throw new InvalidOperationException($"Arena '{Name}' is already allocated; '{name}' comes too late.");
        }

        var stride = shape.Rank < 2 ? shape.AsMatrix().Columns : backend.RowStride(shape.AsMatrix().Columns, type);
        var tensor = new Tensor(null, Position, shape, WeightFormat.Of(type), stride, name);
        _tensors.Add(tensor);
        Position = checked(Position + ((tensor.ByteCount + Alignment - 1) / Alignment * Alignment));
        ByteCount = Math.Max(ByteCount, Position);
        return tensor;
    }

    /// <summary>Allocates everything planned, set to zero.</summary>
    /// <exception cref="Common.SafeLlamaException">It does not fit.</exception>
    public void Commit()
    {
        if (_storage is not null)
        {
            return;
        }

        Bind(backend.AllocateStorage(ByteCount, name));
    }

    /// <summary>
    /// Lays everything planned over memory that another owns, such as a workspace planned for more rows.
    /// </summary>
    public void CommitOver(Storage storage)
    {
        if (ByteCount > storage.ByteCount)
        {
            throw new ArgumentException(
                $"Arena '{name}' plans {ByteCount} bytes, the memory given has {storage.ByteCount}.");
        }

        _borrowed = true;
        Bind(storage);
    }

    /// <summary>Sets every tensor to zero.</summary>
    public void Clear() => _storage?.Clear(0, ByteCount);

    public void Dispose()
    {
        if (!_borrowed)
        {
            _storage?.Dispose();
        }
    }

    private void Bind(Storage storage)
    {
        _storage = storage;
        foreach (var tensor in _tensors)
        {
            tensor.Bind(storage);
        }
    }
}
