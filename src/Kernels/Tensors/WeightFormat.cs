namespace SafeLlama.Kernels;

/// <summary>
/// How a row of a weight is stored: elements that stand alone (F32, F16, BF16), or blocks of elements that share
/// scales.
/// </summary>
/// <remarks>
/// <para>A stored row is self-contained: <c>columns / BlockSize</c> blocks of <see cref="BlockBytes"/> bytes, one after
/// another, scales included. So rows can be borrowed from a mapped file, sliced and decoded one by one. A format whose
/// scale belongs to a whole row (INT8 by rows) is a block as long as the row.</para>
/// <para>A new format is a subclass: its sizes and its <see cref="Decode"/>. With these alone its weights are read by
/// <see cref="IBackend.Import"/>, by <see cref="Tensor.ReadDoubles()"/>, by products, norms and embeddings on the CPU
/// and on the reference; a kernel of its own can make them faster. A GPU reads those that
/// <see cref="IBackend.Reads"/> names.</para>
/// </remarks>
public abstract class WeightFormat
{
    public static WeightFormat F32 { get; } = Of(DType.Float32);

    public static WeightFormat F16 { get; } = Of(DType.Float16);

    public static WeightFormat BF16 { get; } = Of(DType.BFloat16);

    /// <summary>What the format is called: <c>BF16</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The elements' own type, or <see cref="DType.Blocks"/>.</summary>
    public virtual DType Type => DType.Blocks;

    /// <summary>Elements of a block along a row; 1 where elements stand alone.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Bytes of a block.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>The layout by which products of few rows read blocks without decoding them to memory first.</summary>
    public virtual BlockCode Code => BlockCode.Other;

    /// <summary>Decodes some elements of a row to the fp32 numbers they stand for.</summary>
    /// <param name="row">The stored row from its first block on.</param>
    /// <param name="first">The first element, anywhere in a block.</param>
    /// <param name="values">As many elements as are decoded.</param>
    public abstract void Decode(ReadOnlySpan<byte> row, int first, Span<float> values);

    /// <summary>The format of elements that stand alone.</summary>
    public static WeightFormat Of(DType type) => ElementFormat.Of(type);

    /// <summary>Bytes of a row.</summary>
    /// <exception cref="ArgumentException">Blocks do not divide it.</exception>
    public long RowBytes(int columns) => columns % BlockSize == 0
        ? (long)columns / BlockSize * BlockBytes
        : throw new ArgumentException($"Rows of {columns} are no whole blocks of {BlockSize}, as {Name} stores them.");

    /// <summary>Bytes of a tensor, its rows one after another.</summary>
    public long Bytes(Shape shape) => shape.AsMatrix() is var (rows, columns) ? rows * RowBytes(columns) : 0;

    public override string ToString() => Name;
}
