namespace SafeLlama.Model;

/// <summary>
/// The scale s and the minimum m of a group such that x ≈ s · q − m, by weighted least squares over trials of s.
/// </summary>
internal static class ShiftedFit
{
    private const int Largest = 15;
    private const int Trials = 21;

    /// <param name="x">[32] values.</param>
    /// <param name="q">[32] 0 … 15, the fit's own quants.</param>
    /// <returns>s, and m ≥ 0.</returns>
    public static (float Scale, float Minimum) Fit(ReadOnlySpan<float> x, Span<byte> q)
    {
        Span<float> weights = stackalloc float[x.Length];
        var (sumW, sumX) = Weigh(x, weights);
        var (min, max) = (x[0], x[0]);
        foreach (var value in x)
        {
            (min, max) = (value < min ? value : min, value > max ? value : max);
        }

        min = min > 0 ? 0 : min;
        if (max == min)
        {
            q.Clear();
            return (0, -min);
        }

        var scale = 1 / (Largest / (max - min));
        Quantize(x, Largest / (max - min), min, q);
        var best = Error(x, weights, q, scale, min);
        Span<byte> trial = stackalloc byte[x.Length];
        for (var k = 0; k < Trials; k++)
        {
            // The best minimum so far is the offset of later trials.
            Quantize(x, (-1f + (0.1f * k) + Largest) / (max - min), min, trial);
            var sums = Sums(x, weights, trial);
            var determinant = (sumW * sums.L2) - (sums.L * sums.L);
            if (!(determinant > 0))
            {
                continue;
            }

            var s = ((sumW * sums.XL) - (sumX * sums.L)) / determinant;
            var m = ((sums.L2 * sumX) - (sums.L * sums.XL)) / determinant;
            if (m > 0)
            {
                (s, m) = (sums.XL / sums.L2, 0);
            }

            var error = Error(x, weights, trial, s, m);
            if (error < best)
            {
                (best, scale, min) = (error, s, m);
                trial.CopyTo(q);
            }
        }

        return (scale, -min);
    }

    /// <summary>Large values count more: the weight of x is the group's root mean square plus |x|.</summary>
    private static (float SumW, float SumX) Weigh(ReadOnlySpan<float> x, Span<float> weights)
    {
        var squares = 0f;
        foreach (var value in x)
        {
            squares += value * value;
        }

        var (sumW, sumX, rms) = (0f, 0f, MathF.Sqrt(squares / x.Length));
        for (var i = 0; i < x.Length; i++)
        {
            weights[i] = rms + MathF.Abs(x[i]);
            sumW += weights[i];
            sumX += weights[i] * x[i];
        }

        return (sumW, sumX);
    }

    private static void Quantize(ReadOnlySpan<float> x, float inverse, float min, Span<byte> q)
    {
        for (var i = 0; i < x.Length; i++)
        {
            q[i] = (byte)Math.Clamp((int)MathF.Round(inverse * (x[i] - min)), 0, Largest);
        }
    }

    private static (float L, float L2, float XL) Sums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<byte> q)
    {
        var (l, l2, xl) = (0f, 0f, 0f);
        for (var i = 0; i < x.Length; i++)
        {
            var weighted = weights[i] * q[i];
            l += weighted;
            l2 += weighted * q[i];
            xl += weighted * x[i];
        }

        return (l, l2, xl);
    }

    private static float Error(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<byte> q, float scale, float min)
    {
        var error = 0f;
        for (var i = 0; i < x.Length; i++)
        {
            var difference = (scale * q[i]) + min - x[i];
            error += weights[i] * (difference * difference);
        }

        return error;
    }
}
