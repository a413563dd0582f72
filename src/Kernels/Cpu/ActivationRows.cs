namespace SafeLlama.Kernels;

/// <summary>
/// Rows of an activation in fp32, or in bf16 as a training pass keeps them, read and written as floats.
/// </summary>
internal readonly unsafe struct ActivationRows
{
    private readonly byte* _start;
    private readonly nint _rowBytes;
    private readonly bool _isBFloat16;

    private ActivationRows(byte* start, nint rowBytes, int columns, bool isBFloat16)
    {
        _start = start;
        (_rowBytes, Columns, _isBFloat16) = (rowBytes, columns, isBFloat16);
    }

    /// <exception cref="ArgumentException">The tensor stores neither of the two.</exception>
    public static ActivationRows Of(Tensor tensor)
    {
        var isBFloat16 = tensor.Type == DType.BFloat16;
        if (!isBFloat16)
        {
            tensor.RequireStored<float>();
        }

        return new(tensor.HostPointer(), tensor.RowBytes, tensor.Columns, isBFloat16);
    }

    public int Columns { get; }

    /// <summary>One row: the memory itself where it stores floats, otherwise widened into scratch.</summary>
    /// <param name="row">Which row.</param>
    /// <param name="scratch">[Columns].</param>
    public float* Read(int row, float* scratch) => Read(row, 0, Columns, scratch);

    /// <summary>Some elements of a row.</summary>
    /// <param name="row">Which row.</param>
    /// <param name="first">The first column.</param>
    /// <param name="count">How many.</param>
    /// <param name="scratch">[count].</param>
    public float* Read(int row, int first, int count, float* scratch)
    {
        var from = _start + (row * _rowBytes);
        if (!_isBFloat16)
        {
            return (float*)from + first;
        }

        Bf16Rows.Widen((ushort*)from + first, count, scratch);
        return scratch;
    }

    /// <summary>Some rows: the memory itself where it stores floats, otherwise widened into scratch.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="scratch">[rows, Columns].</param>
    public RowBlock Block(int first, int rows, float* scratch)
    {
        var from = _start + (first * _rowBytes);
        if (!_isBFloat16)
        {
            return new((float*)from, _rowBytes / sizeof(float), rows, Columns);
        }

        for (var row = 0; row < rows; row++, from += _rowBytes)
        {
            Bf16Rows.Widen((ushort*)from, Columns, scratch + ((long)row * Columns));
        }

        return new(scratch, Columns, rows, Columns);
    }

    /// <summary>Some rows where they lie, as they are stored.</summary>
    public RowBlock Stored(int first, int rows) => new(
        _start + (first * _rowBytes), _rowBytes / (_isBFloat16 ? sizeof(ushort) : sizeof(float)), rows, Columns,
        _isBFloat16);

    /// <summary>Asks for some rows, where they lie in memory as they are read.</summary>
    public PrefetchRows Prefetch(int first, int rows) => _isBFloat16
        ? new((float*)(_start + (first * _rowBytes)), _rowBytes / sizeof(float), rows, (Columns + 1) / 2)
        : new((float*)(_start + (first * _rowBytes)), _rowBytes / sizeof(float), rows, Columns);

    /// <summary>Where a row is to be written: its memory, or scratch that <see cref="Commit"/> then rounds.</summary>
    public float* Place(int row, float* scratch) => _isBFloat16 ? scratch : (float*)(_start + (row * _rowBytes));

    /// <summary>A row is written, where <see cref="Place"/> said.</summary>
    public void Commit(int row, float* values)
    {
        if (_isBFloat16)
        {
            Bf16Rows.Narrow(values, Columns, (ushort*)(_start + (row * _rowBytes)));
        }
    }
}
