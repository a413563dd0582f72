using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>What complete sums become, some rows and columns at a time, while they are in cache.</summary>
/// <remarks>
/// <code>
/// Round           y = sums
/// Gate            y = sums, gated = silu(gate) · y
/// Differentiate   dgate, dup from the sums, the gradient of silu(gate) · up
/// Fold            thin = the sum of two halves of every group of columns, in fp32
/// </code>
/// What the first three read and write is bf16; every number is rounded once, so the bytes are those of the product in
/// fp32 with the ops after it.
/// </remarks>
internal readonly unsafe struct CpuEpilogue
{
    /// <summary>Columns that are treated at once: their floats stay in a first-level cache.</summary>
    private const int ColumnsTogether = 512;

    private readonly Kind _kind;
    private readonly Rows<ushort> _gate;
    private readonly Rows<ushort> _up;
    private readonly Rows<ushort> _first;
    private readonly Rows<ushort> _second;
    private readonly Rows<float> _thin;
    private readonly int _half;

    private CpuEpilogue(Tensor thin, int half) => (_kind, _thin, _half) = (Kind.Fold, thin.AsRows<float>(), half);

    private CpuEpilogue(Kind kind, Rows<ushort> gate, Rows<ushort> up, Rows<ushort> first, Rows<ushort> second) =>
        (_kind, _gate, _up, _first, _second) = (kind, gate, up, first, second);

    private enum Kind
    {
        None,
        Round,
        Gate,
        Differentiate,
        Fold,
    }

    /// <summary>Floats of scratch that <see cref="Write{TLanes}"/> needs.</summary>
    public const int ScratchCount = ColumnsTogether;

    /// <summary>Whether there is anything to do; without, the sums are the result.</summary>
    public bool IsThere => _kind != Kind.None;

    /// <summary>Whether columns belong together, so that one tile must have all.</summary>
    public bool Folds => _kind == Kind.Fold;

    /// <summary>The halves of each group of 2 · <paramref name="half"/> columns are added.</summary>
    public static CpuEpilogue Folding(Tensor thin, int half) => new(thin, half);

    /// <summary>The sums are y, rounded; where there is a gate, what is gated is written too.</summary>
    public static CpuEpilogue Of(Tensor y, in Epilogue end) => end.Gate is { } gate
        ? new(Kind.Gate, gate.AsRows<ushort>(), default, y.AsRows<ushort>(), end.Gated!.AsRows<ushort>())
        : new(Kind.Round, default, default, y.AsRows<ushort>(), default);

    /// <summary>The sums are the gradient of a gated product.</summary>
    public static CpuEpilogue Of(in GatedProduct g) => new(
        Kind.Differentiate, g.Gate.AsRows<ushort>(), g.Up.AsRows<ushort>(), g.DGate.AsRows<ushort>(),
        g.DUp.AsRows<ushort>());

    /// <summary>
    /// Fetches what <see cref="Write{TLanes}"/> meets in a line of some rows, while the sums are still being made.
    /// </summary>
    public void PrefetchLines(int row, int rows, int column)
    {
        PrefetchLines(_gate, row, rows, column);
        PrefetchLines(_up, row, rows, column);
        PrefetchLines(_first, row, rows, column);
        PrefetchLines(_second, row, rows, column);
    }

    /// <param name="sums">The first of the rows and columns given; overwritten.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="rows">Rows of the result.</param>
    /// <param name="columns">Columns of the result.</param>
    /// <param name="scratch"><see cref="ScratchCount"/> floats.</param>
    public void Write<TLanes>(
        float* sums, nint stride, (int First, int End) rows, (int First, int End) columns, float* scratch)
        where TLanes : struct, ILanes<TLanes>
    {
        for (var row = rows.First; row < rows.End; row++, sums += stride)
        {
            for (var column = columns.First; column < columns.End; column += ColumnsTogether)
            {
                var count = Math.Min(ColumnsTogether, columns.End - column);
                WriteRow<TLanes>(sums + (column - columns.First), row, column, count, scratch);
            }
        }
    }

    /// <param name="sums">Whole groups.</param>
    /// <param name="thin">The row of results.</param>
    /// <param name="from">The first result.</param>
    /// <param name="count">Columns of sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Fold(float* sums, float* thin, int from, int count)
    {
        for (var group = 0; group < count; group += 2 * _half, from += _half, sums += 2 * _half)
        {
            var results = Math.Min(_half, _thin.Columns - from);
            var i = 0;
            for (; i <= results - Lanes256.Count; i += Lanes256.Count)
            {
                Lanes256.Store(thin + from + i, Lanes256.Load(sums + i) + Lanes256.Load(sums + _half + i));
            }

            for (; i < results; i++)
            {
                thin[from + i] = sums[i] + sums[_half + i];
            }
        }
    }

    private static void PrefetchLines(in Rows<ushort> matrix, int row, int rows, int column)
    {
        if (matrix.Pointer == null)
        {
            return;
        }

        var line = matrix.At(row) + column;
        for (var i = 0; i < rows; i++, line += matrix.Stride)
        {
            Prefetch.ToL2(line);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteRow<TLanes>(float* sums, int row, int column, int count, float* scratch)
        where TLanes : struct, ILanes<TLanes>
    {
        if (_kind == Kind.Fold)
        {
            Fold(sums, _thin.At(row), column / 2, count);
            return;
        }

        var first = _first.At(row) + column;
        switch (_kind)
        {
            case Kind.Round:
                Bf16Rows.Narrow(sums, count, first);
                break;
            case Kind.Gate:
                Bf16Rows.Narrow(sums, count, first);
                SwiGluCpu<TLanes>.ForwardRow<StoredBFloat16>(
                    (byte*)(_gate.At(row) + column), (byte*)first, sums, count);
                Bf16Rows.Narrow(sums, count, _second.At(row) + column);
                break;
            case Kind.Differentiate:
                SwiGluCpu<TLanes>.BackwardRow<StoredBFloat16>(
                    sums, (byte*)(_gate.At(row) + column), (byte*)(_up.At(row) + column), scratch, sums, count);
                Bf16Rows.Narrow(scratch, count, first);
                Bf16Rows.Narrow(sums, count, _second.At(row) + column);
                break;
        }
    }
}
