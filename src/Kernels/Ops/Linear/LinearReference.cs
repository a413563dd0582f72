namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class LinearReference(SwiGlu swiGlu) : Linear(swiGlu)
{
    public override int IndependentRows => int.MaxValue;

    public override int AlikeRows => 1;

    protected override void ForwardCore(Tensor x, Tensor weight, in LoraTerm? lora, in Epilogue end, Tensor y)
    {
        if (weight.Format is Int8Format { Threshold: not null } quantized)
        {
            Int8Reference.Forward(x, weight, quantized, end, y);
            return;
        }

        var (xs, ws, ys) = (x.AsDoubles(), weight.AsDoubles(), y.AsRows<double>());
        var (bias, residual) = (end.Bias, end.Residual);
        var bs = bias is null ? default : bias.AsDoubleElements();
        var rs = residual is null ? default : residual.AsRows<double>();
        for (var n = 0; n < y.Rows; n++)
        {
            for (var o = 0; o < y.Columns; o++)
            {
                ys[n][o] = Dot(xs[n], ws[o]) + (bias is null ? 0 : bs[o]) + (residual is null ? 0 : rs[n][o]);
            }
        }
    }

    protected override void AddLoraCore(Tensor x, in LoraTerm lora, Tensor y) => LoraReference.Forward(x, lora, y);

    protected override void BackwardInputCore(
        Tensor dy, Tensor weight, in LoraTerm? lora, Tensor? du, Tensor dx, in InputGradient into)
    {
        var (dys, ws, dxs) = (dy.AsDoubles(), weight.AsDoubles(), dx.AsRows<double>());
        for (var n = 0; n < dx.Rows; n++)
        {
            if (!into.Accumulate)
            {
                dxs[n].Clear();
            }

            for (var o = 0; o < dy.Columns; o++)
            {
                AddScaled(dys[n][o], ws[o], dxs[n]);
            }
        }
    }

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        var (dys, xs, dws) = (dy.AsDoubles(), x.AsDoubles(), dweight.AsRows<double>());
        for (var n = 0; n < dy.Rows; n++)
        {
            for (var o = 0; o < dy.Columns; o++)
            {
                AddScaled(dys[n][o], xs[n], dws[o]);
            }

            if (dbias is not null)
            {
                AddScaled(1, dys[n], dbias.AsElements<double>().AsSpan());
            }
        }
    }

    protected override void BackwardLoraCore(
        Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx) =>
        LoraReference.Backward(dy, x, lora, into, dx);

    /// <summary>Σ_i a[i] · b[i].</summary>
    internal static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>y[i] += factor · x[i].</summary>
    internal static void AddScaled(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        for (var i = 0; i < x.Length; i++)
        {
            y[i] += factor * x[i];
        }
    }
}
