namespace SafeLlama.Kernels;

/// <summary>A LoRA term as fp64 loops.</summary>
internal static class LoraReference
{
    /// <summary>u = drop(x) Aᵀ, y += s · u Bᵀ.</summary>
    public static void Forward(Tensor x, in LoraTerm lora, Tensor y)
    {
        var (xs, As, bs) = (x.AsDoubles(), lora.A.AsDoubles(), lora.B.AsDoubles());
        var (us, ys) = (lora.U.AsRows<double>(), y.AsRows<double>());
        var kept = new double[x.Columns];
        for (var n = 0; n < x.Rows; n++)
        {
            Drop(lora.Dropout, n, xs[n], kept);
            for (var k = 0; k < us.Columns; k++)
            {
                us[n][k] = LinearReference.Dot(kept, As[k]);
            }

            for (var o = 0; o < y.Columns; o++)
            {
                ys[n][o] += lora.Scale * LinearReference.Dot(us[n], bs[o]);
            }
        }
    }

    /// <summary>du = s · dy B, dB += s · dyᵀ u, dA += duᵀ drop(x), dx += drop′(du A).</summary>
    public static void Backward(Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx)
    {
        var (a, b, scale, dropout, u) = lora;
        var (dys, xs, As, bs, us) = (dy.AsDoubles(), x.AsDoubles(), a.AsDoubles(), b.AsDoubles(), u.AsDoubles());
        var (dus, das, dbs) = (into.U.AsRows<double>(), into.A.AsRows<double>(), into.B.AsRows<double>());
        var (kept, dkept, dx1) = (new double[x.Columns], new double[x.Columns], new double[x.Columns]);
        for (var n = 0; n < x.Rows; n++)
        {
            dus[n].Clear();
            for (var o = 0; o < b.Rows; o++)
            {
                LinearReference.AddScaled(scale * dys[n][o], bs[o], dus[n]);
                LinearReference.AddScaled(scale * dys[n][o], us[n], dbs[o]);
            }

            Drop(dropout, n, xs[n], kept);
            Array.Clear(dkept);
            for (var k = 0; k < a.Rows; k++)
            {
                LinearReference.AddScaled(dus[n][k], kept, das[k]);
                LinearReference.AddScaled(dus[n][k], As[k], dkept);
            }

            if (dx is not null)
            {
                Drop(dropout, n, dkept, dx1);
                LinearReference.AddScaled(1, dx1, dx.AsRows<double>()[n]);
            }
        }
    }

    /// <summary>Both drop and its derivative: each element times its factor.</summary>
    private static void Drop(Dropout dropout, int row, ReadOnlySpan<double> x, Span<double> kept)
    {
        for (var i = 0; i < x.Length; i++)
        {
            kept[i] = dropout.IsActive ? x[i] * dropout.Factor(((long)row * x.Length) + i) : x[i];
        }
    }
}
