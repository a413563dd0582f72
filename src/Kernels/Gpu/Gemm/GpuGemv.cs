using System.Runtime.CompilerServices;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>A product of which one operand has at most eight rows: decoding's y = x Wᵀ, and LoRA's u = x Aᵀ.</summary>
/// <remarks>
/// <code>
/// c[s,b], or c[b,s],  = scale · Σ_k small[s,k] · drop(big[b,k]) + bias[b], and its epilogue         s &lt; 8
/// </code>
/// What costs is reading <c>big</c>, and it is read once, in accesses of 16 bytes. A warp takes a row of it; its lanes
/// stride over eights of k and each keeps eight sums, one per row of <c>small</c>, which comes from cache. The lanes'
/// sums are then added from first to last, so the order is fixed. Products are fp32: an adapter is read as it is
/// stored.
/// </remarks>
internal sealed class GpuGemv(GpuDevice device)
{
    /// <summary>The most rows of the small operand in one launch.</summary>
    public const int MaxRows = Float8.Count;

    private const int Warp = 32;

    /// <summary>
    /// Floats from one row's partial sums to the next: one more than there are, so that banks differ.
    /// </summary>
    private const int Pitch = GroupReduce.MaxGroupSize + 1;

    private readonly GpuKernel _product = new(device, typeof(GpuGemv), nameof(ProductKernel));

    /// <summary>
    /// Queues c[s, b] (or c[b, s] where transposed), eight rows of <paramref name="small"/> at a time.
    /// </summary>
    /// <param name="small">[S, K].</param>
    /// <param name="big">[B, K].</param>
    /// <param name="epilogue">A bias of [B], what is added or gates, stored as c.</param>
    /// <param name="c">[S, B], or [B, S] where transposed.</param>
    /// <param name="transposed">Whether a row of c belongs to a row of <paramref name="big"/>.</param>
    /// <param name="form">Scale, and whether to add.</param>
    /// <param name="dropout">Factors of <paramref name="big"/>, by place.</param>
    public void Launch(
        Tensor small, Tensor big, in Epilogue epilogue, Tensor c, bool transposed, ProductForm form, Dropout dropout)
    {
        var warps = device.GroupSize / Math.Min(Warp, device.GroupSize);
        for (var first = 0; first < small.Rows; first += MaxRows)
        {
            var part = new GemvForm(
                first, Math.Min(MaxRows, small.Rows - first), big.Rows, big.Columns, transposed ? 1 : 0, form.Scale,
                form.End, form.HasBias)
            { Drops = dropout.IsActive ? 1 : 0 };
            _product.Launch(
                new(((big.Rows - 1) / warps) + 1, 1), small, big, epilogue.Bias,
                epilogue.Residual ?? epilogue.Gate ?? c, c, epilogue.Gated ?? c, part, new GpuDropout(dropout));
        }
    }

    /// <summary>A warp per row of big; groups smaller than a warp, as when emulated, are one.</summary>
    internal static void ProductKernel<TS, TB, TC>(
        GpuMatrix<TS> small, GpuMatrix<TB> big, GpuWeights bias, GpuMatrix<TC> beside, GpuResult<TC> c,
        GpuResult<TC> gated, GemvForm form, GpuDropout dropout)
        where TS : unmanaged, IGpuActivation<TS>
        where TB : unmanaged, IGpuStored<TB>
        where TC : unmanaged, IGpuActivation<TC>
    {
        var partial = SharedMemory.Allocate<float>(MaxRows * Pitch);
        var lanes = Group.DimX < Warp ? Group.DimX : Warp;
        var (warp, lane) = (Group.IdxX / lanes, Group.IdxX % lanes);
        var row = (Grid.IdxX * (Group.DimX / lanes)) + warp;
        var sums = Float8.All(0f);
        if (row < form.Big)
        {
            for (var k = Float8.Count * lane; k < form.K; k += Float8.Count * lanes)
            {
                var part = big.Load(row, k, form.K);
                if (form.Drops != 0)
                {
                    part *= dropout.Factors(((long)row * form.K) + k);
                }

                sums += new Float8(
                    Dot(small, 0, k, part, form), Dot(small, 1, k, part, form), Dot(small, 2, k, part, form),
                    Dot(small, 3, k, part, form), Dot(small, 4, k, part, form), Dot(small, 5, k, part, form),
                    Dot(small, 6, k, part, form), Dot(small, 7, k, part, form));
            }
        }

        partial[Group.IdxX] = sums.A;
        partial[Pitch + Group.IdxX] = sums.B;
        partial[(2 * Pitch) + Group.IdxX] = sums.C;
        partial[(3 * Pitch) + Group.IdxX] = sums.D;
        partial[(4 * Pitch) + Group.IdxX] = sums.E;
        partial[(5 * Pitch) + Group.IdxX] = sums.F;
        partial[(6 * Pitch) + Group.IdxX] = sums.G;
        partial[(7 * Pitch) + Group.IdxX] = sums.H;
        Group.Barrier();
        if (row >= form.Big)
        {
            return;
        }

        var result = new ProductResult<TC>(beside, c, gated, form.End);
        for (var s = lane; s < form.Small; s += lanes)
        {
            var sum = 0f;
            for (var l = 0; l < lanes; l++)
            {
                sum += partial[(s * Pitch) + (warp * lanes) + l];
            }

            var value = (form.Scale * sum) + (form.HasBias != 0 ? bias[row] : 0f);
            var (m, n) = form.Transposed != 0 ? (row, form.First + s) : (form.First + s, row);
            result.Store(m, n, value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot<TS>(GpuMatrix<TS> small, int s, int k, Float8 part, GemvForm form)
        where TS : unmanaged, IGpuActivation<TS> =>
        s < form.Small ? (small.Load(form.First + s, k, form.K) * part).Sum() : 0f;
}

/// <summary>The form of a product of few rows. Truths are 0 or 1.</summary>
/// <param name="First">The first row of the small operand.</param>
/// <param name="Small">Its rows in this launch.</param>
/// <param name="Big">Rows of the big operand.</param>
/// <param name="K">K.</param>
internal readonly record struct GemvForm(
    int First, int Small, int Big, int K, int Transposed, float Scale, ProductEnd End, int HasBias)
{
    /// <summary>Whether dropout falls on the big operand.</summary>
    public int Drops { get; init; }
}
