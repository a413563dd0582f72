namespace SafeLlama.Kernels;

/// <summary>One product of matrices in host memory; strides express transposition.</summary>
/// <remarks>
/// <code>
/// C[m, n] = addend[m, n] + scale · (Σ_k A(m, k) · B(k, n) + Σ_k A′(m, k) · B′(k, n))
///                                                     m &lt; Rows, n &lt; Columns, k &lt; K
/// </code>
/// The second sum, a LoRA term beside a weight, is there only where <see cref="GemmDispatch{TLanes}.CanAppend"/> says
/// so.
/// </remarks>
internal unsafe struct MatrixProduct
{
    /// <summary>m, the rows of C.</summary>
    public int Rows;

    /// <summary>n, the columns of C.</summary>
    public int Columns;

    /// <summary>k, the length of every sum.</summary>
    public int K;

    /// <summary>Activations: A(m, k) stands at m · <see cref="ARowStride"/> + k · <see cref="AStepStride"/>.</summary>
    public float* A;

    /// <summary>
    /// Whether A points at bf16, as a training pass keeps operands; strides count elements either way.
    /// </summary>
    public bool AIsBFloat16;

    /// <summary>Whether <see cref="Bf16Emulation"/> rounds rows of A as a tile meets them.</summary>
    public bool RoundsRows;
    public nint ARowStride;
    public nint AStepStride;

    /// <summary>
    /// A weight as it is stored: row n holds the k of column n where <see cref="BIsTransposed"/>, else row k the n.
    /// </summary>
    public byte* B;
    public WeightFormat BFormat;
    public nint BStride;
    public bool BIsTransposed;

    /// <summary>The type of B's elements; <see cref="DType.Blocks"/> where they are parts of blocks.</summary>
    public DType BType
    {
        readonly get => BFormat.Type;
        set => BFormat = WeightFormat.Of(value);
    }

    /// <summary>The result, row-major; null where the sums of an <see cref="End"/> may lie anywhere.</summary>
    public float* C;
    public nint CStride;

    /// <summary>What the complete sums become.</summary>
    public CpuEpilogue End;

    public float Scale;

    /// <summary>Float32, or BFloat16 where large products round their operands to it and sum in fp32.</summary>
    public DType Arithmetic;

    /// <summary>The addend: null for none, C itself to accumulate.</summary>
    public float* Addend;
    public nint AddendStride;

    /// <summary>
    /// A′(m, k) stands at m · <see cref="LoraAStride"/> + k; B′ lies in <see cref="PackedPanels{TLanes}"/> of all
    /// columns.
    /// </summary>
    public float* LoraA;
    public nint LoraAStride;
    public float* LoraB;
    public int LoraK;

    /// <summary>The same, added to what is in C.</summary>
    public readonly MatrixProduct Added => this with { Addend = C, AddendStride = CStride };

    /// <summary>
    /// The address of the stored element in row <paramref name="row"/>, column <paramref name="column"/> of B's memory.
    /// </summary>
    /// <remarks>Its elements stand alone; in blocks, only rows have addresses (<see cref="DecodeB"/>).</remarks>
    public readonly byte* BAt(nint row, nint column) => B + (((row * BStride) + column) * BType.Size());

    /// <summary>
    /// Decodes elements of a row of B's memory to floats, whatever they are stored in: the way of formats that have no
    /// code of their own.
    /// </summary>
    /// <param name="row">Which row of the weight.</param>
    /// <param name="first">The first element.</param>
    /// <param name="values">The elements from there on.</param>
    public readonly void DecodeB(int row, int first, Span<float> values)
    {
        var bytes = (nint)BFormat.RowBytes((int)BStride);
        StoredRows.Decode(BFormat, B + (row * bytes), bytes, first, values);
    }

    /// <summary>The same, added to a tensor of C's shape.</summary>
    public readonly MatrixProduct AddedTo(Tensor addend) => this with
    {
        Addend = addend.AsRows<float>().Pointer,
        AddendStride = addend.RowStride,
    };

    /// <summary>The same, its sums memory of their own that become something else.</summary>
    public readonly MatrixProduct EndingIn(in CpuEpilogue end) => this with { C = null, End = end };

    /// <summary>C = x Wᵀ.</summary>
    public static MatrixProduct NT(Tensor x, Tensor weight, Tensor y) => new()
    {
        Rows = x.Rows,
        Columns = weight.Rows,
        K = x.Columns,
        A = (float*)x.HostPointer(),
        AIsBFloat16 = x.Type == DType.BFloat16,
        ARowStride = x.RowStride,
        AStepStride = 1,
        B = weight.HostPointer(),
        BFormat = weight.Format,
        BStride = weight.RowStride,
        BIsTransposed = true,
        C = (float*)y.HostPointer(),
        CStride = y.RowStride,
        Scale = 1,
    };

    /// <summary>C = x W.</summary>
    public static MatrixProduct NN(Tensor x, Tensor weight, Tensor y) => NT(x, weight, y) with
    {
        Columns = weight.Columns,
        BIsTransposed = false,
    };

    /// <summary>C = xᵀ z.</summary>
    public static MatrixProduct TN(Tensor x, Tensor z, Tensor y) => NN(x, z, y) with
    {
        Rows = x.Columns,
        K = x.Rows,
        ARowStride = 1,
        AStepStride = x.RowStride,
    };
}
