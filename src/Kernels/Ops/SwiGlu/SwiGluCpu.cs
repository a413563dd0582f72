using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles, element by element.</summary>
internal sealed unsafe class SwiGluCpu<TLanes>(TilePool pool) : SwiGlu
    where TLanes : struct, ILanes<TLanes>
{
    protected override void ForwardCore(Tensor gate, Tensor up, Tensor product)
    {
        var op = (
            Gate: ActivationRows.Of(gate), Up: ActivationRows.Of(up), Product: ActivationRows.Of(product));
        pool.ForRows(gate.Rows, gate.Columns, op, static (in t, first, end) =>
        {
            var count = t.Gate.Columns;
            var scratch = ThreadScratch.Floats(2L * count);
            for (var n = first; n < end; n++)
            {
                // Element by element: the product may overwrite the gate's scratch.
                var gate = t.Gate.Read(n, scratch);
                var product = t.Product.Place(n, scratch);
                ForwardRow<StoredFloat32>((byte*)gate, (byte*)t.Up.Read(n, scratch + count), product, count);
                t.Product.Commit(n, product);
            }
        });
    }

    protected override void BackwardCore(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup)
    {
        var op = (
            D: dproduct.AsRows<float>(), Gate: ActivationRows.Of(gate), Up: ActivationRows.Of(up),
            DGate: ActivationRows.Of(dgate), DUp: ActivationRows.Of(dup));
        pool.ForRows(gate.Rows, gate.Columns, op, static (in t, first, end) =>
        {
            var count = t.Gate.Columns;
            var scratch = ThreadScratch.Floats(2L * count);
            for (var n = first; n < end; n++)
            {
                // Both rows are complete before either is written: in bf16 they may lie over that of dproduct.
                float* gate = t.Gate.Read(n, scratch), up = t.Up.Read(n, scratch + count);
                float* dgate = t.DGate.Place(n, scratch), dup = t.DUp.Place(n, scratch + count);
                BackwardRow<StoredFloat32>(t.D.At(n), (byte*)gate, (byte*)up, dgate, dup, count);
                t.DGate.Commit(n, dgate);
                t.DUp.Commit(n, dup);
            }

        });
    }

    /// <summary>product = silu(gate) · up; it may be either, where they are floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ForwardRow<TStored>(byte* gate, byte* up, float* product, int count)
        where TStored : struct, IStored
    {
        for (; count >= TLanes.Count; count -= TLanes.Count)
        {
            TLanes.Store(product, Product(TStored.Load<TLanes>(gate), TStored.Load<TLanes>(up)));
            gate += TLanes.Count * TStored.Size;
            up += TLanes.Count * TStored.Size;
            product += TLanes.Count;
        }

        if (count > 0)
        {
            Lanes.Store(
                product, count,
                Product(Lanes.LoadLast<TStored, TLanes>(gate, count), Lanes.LoadLast<TStored, TLanes>(up, count)));
        }
    }

    /// <summary>silu(gate) · up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Product(TLanes gate, TLanes up) => gate * LaneMath.Sigmoid(gate) * up;

    /// <summary>
    /// The gradients of gate and up; they may lie over gate and up, where these are floats, and one over dproduct.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void BackwardRow<TStored>(
        float* dproduct, byte* gate, byte* up, float* dgate, float* dup, int count)
        where TStored : struct, IStored
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var d = TLanes.Load(dproduct + i);
            var silu = Silu(TStored.Load<TLanes>(gate + (i * TStored.Size)), out var slope);
            TLanes.Store(dgate + i, d * TStored.Load<TLanes>(up + (i * TStored.Size)) * slope);
            TLanes.Store(dup + i, d * silu);
        }

        if (i < count)
        {
            var left = count - i;
            var d = Lanes.Load<TLanes>(dproduct + i, left);
            var silu = Silu(Lanes.LoadLast<TStored, TLanes>(gate + (i * TStored.Size), left), out var slope);
            var other = Lanes.LoadLast<TStored, TLanes>(up + (i * TStored.Size), left);
            Lanes.Store(dgate + i, left, d * other * slope);
            Lanes.Store(dup + i, left, d * silu);
        }
    }

    /// <summary>x · σ(x), and its derivative σ(x) · (1 + x · (1 − σ(x))).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Silu(TLanes x, out TLanes slope)
    {
        var sigma = LaneMath.Sigmoid(x);
        var silu = x * sigma;
        slope = TLanes.MultiplyAdd(silu, TLanes.Broadcast(1) - sigma, sigma);
        return silu;
    }
}
