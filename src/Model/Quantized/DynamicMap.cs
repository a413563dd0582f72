namespace SafeLlama.Model;

/// <summary>The 256 values by which absmax values are quantized once more: fine near zero, coarse near one.</summary>
/// <remarks>
/// <code>
/// ± 10^(e−6) · mᵢ      e = 0 … 6, mᵢ the middles of 2^e equal parts of [0.1, 1];  0;  1
/// </code>
/// In fp32 steps, as bitsandbytes makes it (https://github.com/bitsandbytes-foundation/bitsandbytes, functional.py).
/// </remarks>
public static class DynamicMap
{
    private const int Exponents = 7;

    private static readonly float[] Sorted = Create();

    /// <summary>The middles of neighbors, in fp32.</summary>
    private static readonly float[] Middles =
        [.. Enumerable.Range(0, Sorted.Length - 1).Select(i => (Sorted[i] + Sorted[i + 1]) / 2)];

    /// <summary>In rising order.</summary>
    public static ReadOnlySpan<float> Values => Sorted;

    /// <summary>The index of the nearest value: how many middles lie strictly below.</summary>
    public static byte Nearest(float value)
    {
        var (low, high) = (0, Middles.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Middles[middle] < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return (byte)low;
    }

    private static float[] Create()
    {
        var values = new List<float> { 0, 1 };
        for (var e = 0; e < Exponents; e++)
        {
            var parts = 1 << e;
            var power = (float)Math.Pow(10, e - (Exponents - 1));
            for (var i = 0; i < parts; i++)
            {
                var mean = (Boundary(i, parts) + Boundary(i + 1, parts)) / 2;
                values.Add(power * mean);
                values.Add(-power * mean);
            }
        }

        values.Sort();
        return [.. values];
    }

    /// <summary>A boundary of equal parts of [0.1, 1], in the last bit as torch.linspace gives it: from the nearer end,
    /// in vectors of eight as far as pairs of them go.</summary>
    private static float Boundary(int i, int parts)
    {
        const int Vector = 8;
        var (steps, step) = (parts + 1, (1f - 0.1f) / parts);
        var first = i < steps / (2 * Vector) * (2 * Vector) ? i / Vector * Vector : i;
        var start = first < steps / 2
            ? MathF.FusedMultiplyAdd(step, first, 0.1f)
            : MathF.FusedMultiplyAdd(-step, steps - first - 1, 1);
        return start + (step * (i - first));
    }
}
