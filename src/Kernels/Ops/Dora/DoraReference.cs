namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class DoraReference : Dora
{
    protected override void NormCore(Tensor weight, Tensor a, Tensor b, double scale, Tensor norm)
    {
        var (ws, As, bs, norms) = (weight.AsDoubles(), a.AsDoubles(), b.AsDoubles(), norm.AsElements<double>());
        var row = new double[weight.Columns];
        for (var o = 0; o < weight.Rows; o++)
        {
            ws[o].CopyTo(row);
            for (var k = 0; k < a.Rows; k++)
            {
                LinearReference.AddScaled(scale * bs[o][k], As[k], row);
            }

            norms[o] = Math.Sqrt(LinearReference.Dot(row, row));
        }
    }

    protected override void ForwardCore(
        Tensor z, Tensor magnitude, Tensor norm, Tensor? bias, Tensor? residual, Tensor y)
    {
        var (zs, ms, ns) = (z.AsDoubles(), magnitude.AsElements<double>(), norm.AsElements<double>());
        var ys = y.AsRows<double>();
        var bs = bias is null ? default : bias.AsDoubleElements();
        var rs = residual is null ? default : residual.AsRows<double>();
        for (var n = 0; n < z.Rows; n++)
        {
            for (var o = 0; o < z.Columns; o++)
            {
                ys[n][o] = (Quotient(ms[o], ns[o]) * zs[n][o])
                    + (bias is null ? 0 : bs[o]) + (residual is null ? 0 : rs[n][o]);
            }
        }
    }

    protected override void BackwardCore(
        Tensor dy, Tensor z, Tensor magnitude, Tensor norm, Tensor dz, Tensor dmagnitude)
    {
        var (dys, zs, ms) = (dy.AsDoubles(), z.AsDoubles(), magnitude.AsElements<double>());
        var (ns, dzs, dms) = (norm.AsElements<double>(), dz.AsRows<double>(), dmagnitude.AsElements<double>());
        for (var n = 0; n < z.Rows; n++)
        {
            for (var o = 0; o < z.Columns; o++)
            {
                dms[o] += Quotient(dys[n][o] * zs[n][o], ns[o]);
                dzs[n][o] = Quotient(ms[o], ns[o]) * dys[n][o];
            }
        }
    }

    private static double Quotient(double value, double norm) => norm == 0 ? 0 : value / norm;
}
