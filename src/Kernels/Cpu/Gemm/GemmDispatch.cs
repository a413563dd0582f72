namespace SafeLlama.Kernels;

/// <summary>Computes matrix products on a pool's threads with the method that suits the shape.</summary>
/// <remarks>
/// The method depends only on the shape, and an element's sum is independent of the split, so any number of threads
/// gives the same bytes. One product at a time.
/// </remarks>
internal sealed unsafe class GemmDispatch<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>So many columns make good use of a row of A that was fetched.</summary>
    private const int ManyColumns = 256;

    /// <summary>Fewer columns than this are not worth a tile of their own.</summary>
    private const int LeastColumns = 64;

    /// <summary>So many rows make packing B once more cheap: some 3% of their product.</summary>
    private const int ManyRows = 240;

    /// <summary>Fewer rows than this are not worth packing B once more.</summary>
    private const int LeastRows = 120;

    /// <summary>Columns of a tile of dot products come in whole tiles of registers.</summary>
    private const int DotUnit = 12;

    /// <summary>Columns of B up to which all of it stays in cache while the rows of A pass.</summary>
    private const int FewColumns = 16;

    /// <summary>So often the emulation rounds a row rather than keep the result.</summary>
    private const int MostRoundings = 3;

    /// <summary>Fewer rows than this are never packed, whatever the shape.</summary>
    public const int LeastPackedRows = 16;

    /// <summary>So many rows are always packed, or summed as if they were alone.</summary>
    public const int AlwaysPackedRows = 128;

    private readonly TilePool _pool;
    private readonly Bf16Tiles? _tiles;
    private readonly GrowingScratch _transposed = new("scratch of a matrix product");
    private readonly GrowingScratch _rounded = new("activations of a matrix product in bf16");
    private readonly GrowingScratch _sums = new("sums of a matrix product");
    private readonly GrowingScratch _packedLora = new("packed matrix of a LoRA term");
    private readonly Action<int> _runTile;
    private MatrixProduct _product;
    private Bf16Operand _operand;
    private Way _way;
    private int _tilesAcross;
    private int _tilesDown;

    /// <param name="pool">The threads.</param>
    /// <param name="tiles">The bf16 tiles of this machine; null to emulate them.</param>
    public GemmDispatch(TilePool pool, Bf16Tiles? tiles = null)
    {
        (_pool, _tiles) = (pool, TLanes.Count == Lanes512.Count ? tiles : null);
        _runTile = RunTile;
    }

    private enum Way
    {
        /// <summary>Panels of B are packed and used by all rows of A.</summary>
        Packed,

        /// <summary>As packed, but B is read in place: few rows.</summary>
        Direct,

        /// <summary>As packed, in bf16 by the instruction.</summary>
        Bf16,

        /// <summary>Dot products along k: few rows, or few columns.</summary>
        Dots,
    }

    public void Run(in MatrixProduct product)
    {
        if (product.Rows == 0 || product.Columns == 0)
        {
            return;
        }

        _product = product;
        _way = Choose(product);
        if (_way == Way.Dots && !product.BIsTransposed)
        {
            TransposeB();
        }

        ChooseArithmetic();
        Split();
        RoundA();

        // One block of k by the instruction: sums that become something else are complete where they are made.
        if (_product.C == null && !(_way == Way.Bf16 && _product.K <= Bf16Gemm.MaxK))
        {
            _product = WithSums(_product);
        }

        _pool.For(_tilesAcross * _tilesDown, _runTile);
    }

    /// <summary>Two products whose sums are one, C = addend + A B + A′ B′: a LoRA term beside a weight.</summary>
    /// <param name="product">A B; its shape must be one that <see cref="CanAppend"/> allows.</param>
    /// <param name="lora">A′ B′ of the same rows and columns; its scale multiplies B′.</param>
    public void Run(in MatrixProduct product, in MatrixProduct lora) => Run(product with
    {
        LoraA = lora.A,
        LoraAStride = lora.ARowStride,
        LoraB = PackedPanels<TLanes>.PackAll(lora, _packedLora, lora.Scale),
        LoraK = lora.K,
    });

    /// <summary>The same with memory for sums that are not the result, where it has none.</summary>
    public MatrixProduct WithSums(in MatrixProduct product)
    {
        var stride = product.Columns + TLanes.Count;
        return product.C != null
            ? product : product with { C = _sums.Floats((long)product.Rows * stride), CStride = stride };
    }

    /// <summary>Whether a product of this shape can take so many more steps from a second one.</summary>
    public static bool CanAppend(in MatrixProduct product, int loraK) =>
        Choose(product) == Way.Packed && loraK <= Gemm<TLanes>.MaxLoraK;

    private static Way Choose(in MatrixProduct p)
    {
        if (p.End.Folds)
        {
            return Way.Packed;
        }

        if (p.AStepStride == 1
            && (p.Columns <= FewColumns
                || (p.BIsTransposed && p.Rows < Math.Clamp(p.K / 16, LeastPackedRows, AlwaysPackedRows))))
        {
            return Way.Dots;
        }

        var fewRows = p.Rows <= 2 * MicroKernels<TLanes>.TallRows;
        return fewRows && !p.BIsTransposed && p.BType == DType.Float32 ? Way.Direct : Way.Packed;
    }

    /// <summary>Tiles of many columns, to read A less, and many rows, to pack B less; smaller if too few.</summary>
    private void Split()
    {
        // Several tiles per thread, so that a late or absent thread costs little.
        var wanted = _pool.Threads == 1 ? 1 : 4 * _pool.Threads;
        var (rows, columns) = (_product.Rows, _product.Columns);
        var most = _way switch
        {
            Way.Dots => columns,
            Way.Packed when _product.Arithmetic == DType.BFloat16 => Bf16Emulation.MaxColumns,
            _ => Gemm<TLanes>.MaxColumns,
        };
        var many = _way is Way.Dots or Way.Direct ? LeastColumns : ManyColumns;
        _tilesAcross = Math.Max(Parts(columns, most), Divisor(wanted, columns / many));
        _tilesDown = Math.Clamp(rows / ManyRows, 1, Parts(wanted, _tilesAcross));
        if (_tilesAcross * _tilesDown < wanted / 2)
        {
            var least = _product.End.Folds ? columns : LeastColumns;
            _tilesAcross = Math.Max(_tilesAcross, Math.Min(wanted / _tilesDown, columns / least));
            _tilesDown = Math.Max(_tilesDown, Math.Clamp(rows / LeastRows, 1, Parts(wanted, _tilesAcross)));
        }
    }

    /// <summary>Large products may round their operands; the others stay in fp32.</summary>
    private void ChooseArithmetic()
    {
        if (_way != Way.Packed)
        {
            _product.Arithmetic = DType.Float32;
        }
        else if (_product.Arithmetic == DType.BFloat16 && _tiles is not null)
        {
            _way = Way.Bf16;
        }
    }

    /// <summary>
    /// Rounds A once for all columns. The emulation rounds rows in first-level cache, once for each tile across, where
    /// these are few: a copy of A as floats would go to memory and back.
    /// </summary>
    private void RoundA()
    {
        if (_way == Way.Bf16)
        {
            _operand = Bf16Operand.Round(_product, _pool, _rounded);
        }
        else if (_product.Arithmetic != DType.BFloat16)
        {
            WidenA();
        }
        else if (_product.AStepStride == 1 && _tilesAcross <= MostRoundings)
        {
            _product.RoundsRows = true;
        }
        else
        {
            _product = Bf16Emulation.RoundA(_product, _pool, _rounded);
        }
    }

    /// <summary>A kept in bf16, for a product in fp32.</summary>
    private void WidenA()
    {
        if (!_product.AIsBFloat16)
        {
            return;
        }

        var alongRows = _product.AStepStride == 1;
        var (rows, columns) = alongRows ? (_product.Rows, _product.K) : (_product.K, _product.Rows);
        var stride = columns + TLanes.Count;
        var op = (
            From: (nint)_product.A, FromStride: alongRows ? _product.ARowStride : _product.AStepStride,
            To: (nint)_rounded.Floats((long)rows * stride), Stride: stride, Columns: columns);
        _pool.ForRows(rows, columns, op, static (in t, first, end) =>
        {
            for (var row = first; row < end; row++)
            {
                Bf16Rows.Widen(
                    (ushort*)t.From + (row * t.FromStride), t.Columns, (float*)t.To + ((long)row * t.Stride));
            }
        });
        _product.A = (float*)op.To;
        _product.AIsBFloat16 = false;
        (_product.ARowStride, _product.AStepStride) = alongRows ? (stride, 1) : (1, stride);
    }

    private void RunTile(int tile)
    {
        var rows = Share(_product.Rows, MicroKernels<TLanes>.TallRows, tile / _tilesAcross, _tilesDown);
        var unit = _way == Way.Dots ? DotUnit : PackedPanels<TLanes>.Width;
        var columns = Share(_product.Columns, unit, tile % _tilesAcross, _tilesAcross);
        switch (_way)
        {
            case Way.Dots:
                DotProduct<TLanes>.Run(_product, rows, columns);
                break;
            case Way.Bf16:
                Bf16Gemm.Run(
                    _tiles!, _product, _operand, rows, columns, ThreadScratch.Floats(Gemm<TLanes>.ScratchCount));
                break;
            default:
                Gemm<TLanes>.Run(
                    _product, rows, columns, _way == Way.Direct, ThreadScratch.Floats(Gemm<TLanes>.ScratchCount));
                break;
        }

        if (_product.End.IsThere && _way != Way.Bf16)
        {
            _product.End.Write<TLanes>(
                _product.C + (rows.First * _product.CStride) + columns.First, _product.CStride, rows, columns,
                ThreadScratch.Floats(CpuEpilogue.ScratchCount));
        }
    }

    /// <summary>Copies a B of few columns so that the k of a column stand together.</summary>
    private void TransposeB()
    {
        var (columns, depth) = (_product.Columns, _product.K);
        var stride = depth + TLanes.Count;
        var transposed = _transposed.Floats((long)columns * stride);
        Span<float> row = stackalloc float[FewColumns];
        row = row[..columns];
        for (var k = 0; k < depth; k++)
        {
            _product.DecodeB(k, 0, row);
            for (var column = 0; column < columns; column++)
            {
                transposed[((long)column * stride) + k] = row[column];
            }
        }

        _product.B = (byte*)transposed;
        (_product.BType, _product.BStride, _product.BIsTransposed) = (DType.Float32, stride, true);
    }

    /// <summary>The largest divisor not above <paramref name="most"/>, or 1: threads then end together.</summary>
    private static int Divisor(int total, int most)
    {
        var divisor = Math.Clamp(most, 1, total);
        while (total % divisor != 0)
        {
            divisor--;
        }

        return divisor;
    }

    private static int Parts(int total, int size) => (total + size - 1) / size;

    /// <summary>The range that is one of some equal shares of a total: whole units, one more or less.</summary>
    private static (int First, int End) Share(int total, int unit, int index, int shares)
    {
        var units = (long)Parts(total, unit);
        return ((int)(index * units / shares) * unit, Math.Min(total, (int)((index + 1) * units / shares) * unit));
    }
}
