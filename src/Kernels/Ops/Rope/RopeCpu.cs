using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles; a head's two halves are turned side by side.</summary>
internal sealed unsafe class RopeCpu<TLanes>(TilePool pool) : Rope
    where TLanes : struct, ILanes<TLanes>
{
    protected override void RotateCore(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward)
    {
        positions.RequireIndices(0, cos.Rows, "a position is a row of the table");
        var op = (
            X: ActivationRows.Of(x), Positions: positions.AsElements<int>(), Cos: cos.AsRows<float>(),
            Sin: sin.AsRows<float>(), Sign: backward ? -1f : 1f);
        pool.ForRows(x.Rows, x.Columns, op, static (in t, first, end) =>
        {
            var half = t.Cos.Columns;
            var scratch = ThreadScratch.Floats(t.X.Columns);
            for (var n = first; n < end; n++)
            {
                var x = t.X.Read(n, scratch);
                var position = t.Positions.Pointer[n];
                for (var head = 0; head < t.X.Columns; head += 2 * half)
                {
                    RotateHead(x + head, t.Cos.At(position), t.Sin.At(position), t.Sign, half);
                }

                t.X.Commit(n, x);
            }
        });
    }

    /// <summary>Turns the pairs (x[i], x[i + half]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateHead(float* x, float* cos, float* sin, float sign, int half)
    {
        var signs = TLanes.Broadcast(sign);
        var i = 0;
        for (; i <= half - TLanes.Count; i += TLanes.Count)
        {
            var (a, b) = (TLanes.Load(x + i), TLanes.Load(x + half + i));
            var (c, s) = (TLanes.Load(cos + i), TLanes.Load(sin + i) * signs);
            TLanes.Store(x + i, (a * c) - (b * s));
            TLanes.Store(x + half + i, (b * c) + (a * s));
        }

        if (i < half)
        {
            var left = half - i;
            var (a, b) = (Lanes.Load<TLanes>(x + i, left), Lanes.Load<TLanes>(x + half + i, left));
            var (c, s) = (Lanes.Load<TLanes>(cos + i, left), Lanes.Load<TLanes>(sin + i, left) * signs);
            Lanes.Store(x + i, left, (a * c) - (b * s));
            Lanes.Store(x + half + i, left, (b * c) + (a * s));
        }
    }
}
