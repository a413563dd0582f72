using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles, element by element.</summary>
/// <remarks>
/// <code>
/// Φ(−|x|) = ½ (a₁ t + a₂ t² + a₃ t³ + a₄ t⁴ + a₅ t⁵) e^(−x²/2)        t = 1 / (1 + p |x| / √2)
/// </code>
/// Off by at most 7.5e-8: Abramowitz and Stegun 1964, 7.1.26. The derivative uses the same power of e.
/// </remarks>
internal sealed unsafe class GeluCpu<TLanes>(TilePool pool) : Gelu
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>An element costs as much as so many that are only moved.</summary>
    private const int Cost = 8;

    protected override void ForwardCore(Tensor x, Tensor y)
    {
        var op = (X: x.AsRows<float>(), Y: y.AsRows<float>());
        pool.ForRows(x.Rows, (long)Cost * x.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                ForwardRow(t.X.At(n), t.Y.At(n), t.X.Columns);
            }
        });
    }

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor dx)
    {
        var op = (Dy: dy.AsRows<float>(), X: x.AsRows<float>(), Dx: dx.AsRows<float>());
        pool.ForRows(x.Rows, (long)Cost * x.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                BackwardRow(t.Dy.At(n), t.X.At(n), t.Dx.At(n), t.X.Columns);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardRow(float* x, float* y, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var at = TLanes.Load(x + i);
            TLanes.Store(y + i, at * Share(at, out _));
        }

        if (i < count)
        {
            var at = Lanes.Load<TLanes>(x + i, count - i);
            Lanes.Store(y + i, count - i, at * Share(at, out _));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow(float* dy, float* x, float* dx, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(dx + i, TLanes.Load(dy + i) * Slope(TLanes.Load(x + i)));
        }

        if (i < count)
        {
            var slope = Slope(Lanes.Load<TLanes>(x + i, count - i));
            Lanes.Store(dx + i, count - i, Lanes.Load<TLanes>(dy + i, count - i) * slope);
        }
    }

    /// <summary>Φ(x) + x · φ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Slope(TLanes x)
    {
        var share = Share(x, out var density);
        return TLanes.MultiplyAdd(x, density, share);
    }

    /// <summary>Φ(x), and φ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Share(TLanes x, out TLanes density)
    {
        var one = TLanes.Broadcast(1);
        var size = TLanes.Max(x, default(TLanes) - x);
        var power = LaneMath.Exp(x * x * TLanes.Broadcast(-0.5f));
        density = power * TLanes.Broadcast(0.398942280f);
        var t = one / TLanes.MultiplyAdd(size, TLanes.Broadcast(0.3275911f * 0.707106781f), one);
        var p = TLanes.Broadcast(0.5f * 1.061405429f);
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.5f * -1.453152027f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.5f * 1.421413741f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.5f * -0.284496736f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.5f * 0.254829592f));
        var below = p * t * power;
        return TLanes.WhereLess(x, default, below, one - below);
    }
}
