namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class SwiGluReference : SwiGlu
{
    protected override void ForwardCore(Tensor gate, Tensor up, Tensor product)
    {
        var (gs, us, ps) = (gate.AsDoubles(), up.AsDoubles(), product.AsRows<double>());
        for (var n = 0; n < gate.Rows; n++)
        {
            for (var i = 0; i < gate.Columns; i++)
            {
                ps[n][i] = gs[n][i] * Sigmoid(gs[n][i]) * us[n][i];
            }
        }
    }

    protected override void BackwardCore(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup)
    {
        var (ds, gs, us) = (dproduct.AsDoubles(), gate.AsDoubles(), up.AsDoubles());
        var (dgs, dus) = (dgate.AsRows<double>(), dup.AsRows<double>());
        for (var n = 0; n < gate.Rows; n++)
        {
            for (var i = 0; i < gate.Columns; i++)
            {
                var (d, g, sigma) = (ds[n][i], gs[n][i], Sigmoid(gs[n][i]));
                dgs[n][i] = d * us[n][i] * sigma * (1 + (g * (1 - sigma)));
                dus[n][i] = d * g * sigma;
            }
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
