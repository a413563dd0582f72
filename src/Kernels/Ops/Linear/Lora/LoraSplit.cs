using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>u = x Aᵀ and du = s · dy B by the bf16 product, the small factor exact to 17 bits.</summary>
/// <remarks>
/// <code>
/// A = hi + lo, both bf16       hi = A rounded, lo = (A − hi) rounded: |A − hi − lo| ≤ 2⁻¹⁷ |A|
/// u = x hiᵀ + x loᵀ            one product with the rows of hi and lo as its columns, its halves added at the end
/// </code>
/// So x is read as a training pass keeps it, in bf16, and the adapter is not rounded to it. Groups of columns are
/// [8 of hi, 8 of lo] up to rank 8, else [16, 16].
/// </remarks>
internal sealed unsafe class LoraSplit<TLanes>(TilePool pool, GemmDispatch<TLanes> gemm)
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Fewer rows are not worth splitting a factor for.</summary>
    private const int LeastRows = 64;

    /// <summary>All columns are one tile of the product.</summary>
    private const int MostRank = 64;

    private readonly GrowingScratch _factor = new("factor of a LoRA term, in two parts");
    private readonly GrowingScratch _gradient = new("gradient of a product in bf16");
    private (Tensor? Of, nint Start, nint Stride) _rounded;

    /// <summary>Floats of scratch, at most.</summary>
    public static long ScratchCount(in WorkSize work) => work.Rank is 0 or > MostRank ? 0
        : 2L * (work.Rank + TileCode.Columns) * (work.Columns + 1);

    /// <summary>Whether a term is computed in this way: by its shape alone.</summary>
    public static bool Suits(Tensor rows, in LoraTerm lora) =>
        !lora.Dropout.IsActive && rows.Rows >= LeastRows && lora.A.Rows <= MostRank;

    /// <summary>u = x Aᵀ for an x in bf16.</summary>
    public void DownProject(Tensor x, in LoraTerm lora) =>
        Run(MatrixProduct.NT(x, lora.A, lora.U), (lora.A.AsRows<float>(), true), 1, lora.U);

    /// <summary>du = s · dy B. A dy in fp32 is rounded, once for this and for the product that follows.</summary>
    public void DownProject(Tensor dy, in LoraTerm lora, Tensor du)
    {
        _rounded = dy.Type == DType.BFloat16 ? default : Round(dy);
        var product = WithRounded(MatrixProduct.NN(dy, lora.B, du), dy);
        Run(product, (lora.B.AsRows<float>(), false), (float)lora.Scale, du);
    }

    /// <summary>A product whose A is dy, with what <see cref="DownProject(Tensor, in LoraTerm, Tensor)"/> just rounded.
    /// </summary>
    public MatrixProduct WithRounded(in MatrixProduct product, Tensor dy) => _rounded.Of != dy ? product : product with
    {
        A = (float*)_rounded.Start,
        AIsBFloat16 = true,
        ARowStride = _rounded.Stride,
    };

    /// <summary>What was rounded may change from here on.</summary>
    public void Forget() => _rounded = default;

    private (Tensor Of, nint Start, nint Stride) Round(Tensor dy)
    {
        // An odd number of lines, as twelve rows are read side by side.
        var stride = ((dy.Columns + 31) / 32 | 1) * 32;
        var op = (
            Dy: dy.AsRows<float>(), Stride: stride,
            To: (nint)_gradient.Floats(((long)dy.Rows * stride + 1) / 2));
        pool.ForRows(dy.Rows, dy.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                Bf16Rows.Narrow(t.Dy.At(n), t.Dy.Columns, (ushort*)t.To + ((long)n * t.Stride));
            }
        });
        return (dy, op.To, stride);
    }

    /// <param name="product">Its A and its shape.</param>
    /// <param name="factor">The small matrix, and whether its rows are the rank.</param>
    private void Run(in MatrixProduct product, (Rows<float> Rows, bool AreRank) factor, float scale, Tensor thin)
    {
        var (rank, depth) = (thin.Columns, product.K);
        var half = rank <= Lanes256.Count ? Lanes256.Count : Lanes512.Count;
        var columns = (rank + half - 1) / half * 2 * half;
        var parts = _factor.Floats((long)columns * depth);
        for (var k = 0; k < columns / 2; k++)
        {
            var high = parts + (((k / half * 2 * half) + (k % half)) * (long)depth);
            var low = high + ((long)half * depth);
            if (k >= rank)
            {
                new Span<float>(high, depth).Clear();
                new Span<float>(low, depth).Clear();
                continue;
            }

            Copy(factor, k, scale, low, depth);
            Bf16Emulation.RoundRow(low, depth, high);
            LaneMath.AddScaled<TLanes>(-1, high, low, depth);
        }

        gemm.Run(product.EndingIn(CpuEpilogue.Folding(thin, half)) with
        {
            Columns = columns,
            B = (byte*)parts,
            BFormat = WeightFormat.Of(DType.Float32),
            BStride = depth,
            BIsTransposed = true,
            Arithmetic = DType.BFloat16,
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy((Rows<float> Rows, bool AreRank) factor, int k, float scale, float* to, int count)
    {
        var (from, stride) = factor.AreRank
            ? ((nint)factor.Rows.At(k), 1) : ((nint)(factor.Rows.Pointer + k), factor.Rows.Stride);
        for (var i = 0; i < count; i++)
        {
            to[i] = scale * ((float*)from)[(long)i * stride];
        }
    }
}
