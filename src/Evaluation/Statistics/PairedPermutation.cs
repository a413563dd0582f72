using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// Tests two runs with a score for each of the same prompts: is the mean difference larger than random signs explain?
/// </summary>
/// <remarks>
/// Under the null hypothesis the sign of every difference is random. Fisher 1935, "The design of experiments", 21. All
/// 2ⁿ signs are tried for up to 20 differences that are not zero; beyond that, seeded draws with the observed one
/// counted in (Phipson and Smyth 2010), so that p is never 0. <para> Arrangements as extreme as the observed one must
/// be counted exactly, or p falls below its true value. Differences of decimal scores become whole numbers, whose sums
/// are exact in 53 bits. Other differences are summed in two halves of at most 10 terms: an error of 20 · 2⁻⁵³ · Σ|d|
/// at most, below the 10⁻¹² · Σ|d| within which sums count as equal. </para>
/// </remarks>
public static class PairedPermutation
{
    private const int Exhaustive = 20;
    private const int MostDecimals = 6;

    /// <summary>The two-sided p-value for a mean of <paramref name="differences"/> that is not zero.</summary>
    public static double Test(IReadOnlyList<double> differences, long seed = 0, int draws = Bootstrap.Draws)
    {
        var moving = WholeNumbers(differences) ?? [.. differences];
        var slack = moving.All(double.IsInteger) ? 0 : 1e-12 * moving.Sum(Math.Abs);
        moving = [.. moving.Where(d => Math.Abs(d) > slack)];
        if (moving.Length == 0)
        {
            return 1;
        }

        var observed = Math.Abs(moving.Sum()) - slack;
        return moving.Length <= Exhaustive ? EverySign(moving, observed) : DrawnSigns(moving, observed, seed, draws);
    }

    /// <summary>
    /// The differences times the least power of ten that makes all of them whole; null where none does.
    /// </summary>
    private static double[]? WholeNumbers(IReadOnlyList<double> differences)
    {
        const double Largest = 1L << 40;
        var rounding = 1e-12 * Math.Max(1, differences.Count == 0 ? 0 : differences.Max(Math.Abs));
        for (var (decimals, scale) = (0, 1.0); decimals <= MostDecimals; decimals++, scale *= 10)
        {
            if (differences.All(d => Math.Abs(d - Math.Round(d * scale) / scale) <= rounding
                && Math.Abs(d * scale) < Largest))
            {
                return [.. differences.Select(d => Math.Round(d * scale))];
            }
        }

        return null;
    }

    private static double EverySign(double[] moving, double observed)
    {
        var half = moving.Length / 2;
        var (first, second) = (Sums(moving.AsSpan(0, half)), Sums(moving.AsSpan(half)));
        var extreme = 0L;
        foreach (var a in first)
        {
            foreach (var b in second)
            {
                extreme += Math.Abs(a + b) >= observed ? 1 : 0;
            }
        }

        return (double)extreme / ((long)first.Length * second.Length);
    }

    /// <summary>[2ᵏ] the sum of k terms under every choice of signs.</summary>
    private static double[] Sums(ReadOnlySpan<double> terms)
    {
        var sums = new double[1 << terms.Length];
        for (var i = 0; i < terms.Length; i++)
        {
            for (var known = (1 << i) - 1; known >= 0; known--)
            {
                sums[known | 1 << i] = sums[known] - terms[i];
                sums[known] += terms[i];
            }
        }

        return sums;
    }

    private static double DrawnSigns(double[] moving, double observed, long seed, int draws)
    {
        var stream = Philox.Stream(seed, "permutation");
        var words = (moving.Length + 31) / 32;
        var extreme = 1;
        for (var draw = 0; draw < draws; draw++)
        {
            var sum = 0.0;
            for (var i = 0; i < moving.Length; i++)
            {
                var word = stream.UInt32((long)draw * words + i / 32);
                sum += (word >> (i % 32) & 1) == 0 ? moving[i] : -moving[i];
            }

            extreme += Math.Abs(sum) >= observed ? 1 : 0;
        }

        return (double)extreme / (draws + 1);
    }
}
