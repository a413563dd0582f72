using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Functions of vectors, and the inner loops that ops share.</summary>
internal static unsafe class LaneMath
{
    /// <summary>e^x with a relative error of at most 1.2e-7 where the result is a normal number.</summary>
    /// <remarks>
    /// e^x = 2ⁿ · e^r with n = round(x / ln 2), so |r| ≤ ln 2 / 2, where a polynomial of degree 6 suffices; ln 2 is
    /// taken off in two parts, the first exact in few bits (Cody and Waite 1980). Coefficients: Cephes, <c>expf</c>.
    /// Below −87.3 the result is 0; above 88.3 it stays at e^88.3, near the largest float. NaN stays NaN.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exp<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        // Added to a float, this leaves the nearest whole number, plus the exponent's bias of 127, in the lowest bits.
        const float RoundAndBias = 12582912f + 127;
        var lowest = TLanes.Broadcast(-87.3f);
        var bounded = TLanes.WhereLess(TLanes.Broadcast(88.3f), x, TLanes.Broadcast(88.3f), x);
        var shifted = TLanes.MultiplyAdd(bounded, TLanes.Broadcast(1.44269504f), TLanes.Broadcast(RoundAndBias));
        var n = shifted - TLanes.Broadcast(RoundAndBias);
        var r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-0.693359375f), bounded);
        r = TLanes.MultiplyAdd(n, TLanes.Broadcast(2.12194440e-4f), r);
        var p = TLanes.Broadcast(1.9875691500e-4f);
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(1.3981999507e-3f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(8.3334519073e-3f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(4.1665795894e-2f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(1.6666665459e-1f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(5.0000001201e-1f));
        p = TLanes.MultiplyAdd(p, r * r, r + TLanes.Broadcast(1));
        return TLanes.WhereLess(x, lowest, default, p * TLanes.LowBitsAsExponent(shifted));
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Sigmoid<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.Broadcast(1) / (TLanes.Broadcast(1) + Exp(default(TLanes) - x));

    /// <summary>Σ_i a[i] · b[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot<TLanes>(float* a, float* b, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes even = default, odd = default;
        var i = 0;
        for (; i <= count - (2 * TLanes.Count); i += 2 * TLanes.Count)
        {
            even = TLanes.MultiplyAdd(TLanes.Load(a + i), TLanes.Load(b + i), even);
            odd = TLanes.MultiplyAdd(TLanes.Load(a + i + TLanes.Count), TLanes.Load(b + i + TLanes.Count), odd);
        }

        for (; i < count; i += TLanes.Count)
        {
            even = TLanes.MultiplyAdd(Lanes.Load<TLanes>(a + i, count - i), Lanes.Load<TLanes>(b + i, count - i), even);
        }

        return TLanes.Sum(even + odd);
    }

    /// <summary>y[i] += factor · x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled<TLanes>(float factor, float* x, float* y, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        var factors = TLanes.Broadcast(factor);
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(y + i, TLanes.MultiplyAdd(factors, TLanes.Load(x + i), TLanes.Load(y + i)));
        }

        if (i < count)
        {
            var left = count - i;
            var sum = TLanes.MultiplyAdd(factors, Lanes.Load<TLanes>(x + i, left), Lanes.Load<TLanes>(y + i, left));
            Lanes.Store(y + i, left, sum);
        }
    }
}
