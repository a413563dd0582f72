namespace SafeLlama.Model;

/// <summary>
/// The scale s of a group such that x ≈ s · (q − 32), by least squares with weights x² over trials of s.
/// </summary>
internal static class SymmetricFit
{
    /// <summary>Smaller values are zero.</summary>
    public const float Nothing = 1e-15f;

    private const int Half = 32;

    /// <param name="x">[16] values.</param>
    /// <param name="q">[16] 0 … 63, the fit's own quants.</param>
    public static float Fit(ReadOnlySpan<float> x, Span<byte> q)
    {
        var extreme = Extreme.Of(x);
        if (MathF.Abs(extreme) < Nothing)
        {
            q.Clear();
            return 0;
        }

        var (xl, l2) = Sums(x, -Half / extreme);
        Quantize(x, -Half / extreme, q);
        var scale = l2 != 0 ? xl / l2 : 0;
        var best = scale * xl;
        for (var k = -9; k <= 9; k++)
        {
            if (k == 0)
            {
                continue;
            }

            var inverse = -(Half + (0.1f * k)) / extreme;
            (xl, l2) = Sums(x, inverse);
            if (l2 > 0 && xl * xl > best * l2)
            {
                Quantize(x, inverse, q);
                scale = xl / l2;
                best = scale * xl;
            }
        }

        return scale;
    }

    private static (float XL, float L2) Sums(ReadOnlySpan<float> x, float inverse)
    {
        var (xl, l2) = (0f, 0f);
        foreach (var value in x)
        {
            var (l, weight) = (Level(value, inverse), value * value);
            xl += weight * value * l;
            l2 += weight * l * l;
        }

        return (xl, l2);
    }

    private static void Quantize(ReadOnlySpan<float> x, float inverse, Span<byte> q)
    {
        for (var i = 0; i < x.Length; i++)
        {
            q[i] = (byte)(Level(x[i], inverse) + Half);
        }
    }

    private static int Level(float value, float inverse) =>
        Math.Clamp((int)MathF.Round(inverse * value), -Half, Half - 1);
}
