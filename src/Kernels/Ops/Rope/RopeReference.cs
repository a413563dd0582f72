namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class RopeReference : Rope
{
    protected override void RotateCore(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward)
    {
        var (xs, ps, cs, ss) = (x.AsRows<double>(), positions.AsElements<int>(), cos.AsDoubles(), sin.AsDoubles());
        var half = cos.Columns;
        for (var n = 0; n < x.Rows; n++)
        {
            for (var head = 0; head < x.Columns; head += 2 * half)
            {
                for (var i = 0; i < half; i++)
                {
                    var (a, b) = (xs[n][head + i], xs[n][head + i + half]);
                    var (c, s) = (cs[ps[n]][i], backward ? -ss[ps[n]][i] : ss[ps[n]][i]);
                    xs[n][head + i] = (a * c) - (b * s);
                    xs[n][head + i + half] = (b * c) + (a * s);
                }
            }
        }
    }
}
