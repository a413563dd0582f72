using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Inference;

/// <summary>Sums over a row of logits, in fp64 and in vectors of the same width on every machine.</summary>
internal static class LogitsMath
{
    /// <summary>The largest value; NaN where one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Largest(ReadOnlySpan<double> values)
    {
        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(values);
        var (largest, second) = (Vector256.Create(double.NegativeInfinity), Vector256.Create(double.NegativeInfinity));
        var at = 0;
        for (; at < vectors.Length - 1; at += 2)
        {
            largest = Vector256.Max(largest, vectors[at]);
            second = Vector256.Max(second, vectors[at + 1]);
        }

        largest = Vector256.Max(largest, at < vectors.Length ? Vector256.Max(second, vectors[at]) : second);
        var max = Math.Max(Math.Max(largest[0], largest[1]), Math.Max(largest[2], largest[3]));
        foreach (var value in values[(vectors.Length * Vector256<double>.Count)..])
        {
            max = Math.Max(max, value);
        }

        return max;
    }

    /// <summary>The first place of a value; −1 where it is nowhere, as of NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int FirstOf(ReadOnlySpan<double> values, double value)
    {
        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(values);
        var wanted = Vector256.Create(value);
        for (var i = 0; i < vectors.Length; i++)
        {
            if (Vector256.EqualsAny(vectors[i], wanted))
            {
                return (i * Vector256<double>.Count) + BitOperations.TrailingZeroCount(
                    Vector256.Equals(vectors[i], wanted).ExtractMostSignificantBits());
            }
        }

        for (var i = vectors.Length * Vector256<double>.Count; i < values.Length; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Σ exp(value − max).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double SumOfExp(ReadOnlySpan<double> values, double max)
    {
        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(values);
        var (shift, sums) = (Vector256.Create(max), Vector256<double>.Zero);
        foreach (var vector in vectors)
        {
            sums += Vector256.Exp(vector - shift);
        }

        var sum = Vector256.Sum(sums);
        foreach (var value in values[(vectors.Length * Vector256<double>.Count)..])
        {
            sum += Math.Exp(value - max);
        }

        return sum;
    }

    /// <summary>The places of the largest values, the largest first; of equals the lower place.</summary>
    public static List<int> Best(ReadOnlySpan<double> values, int count)
    {
        var queue = new PriorityQueue<int, (double, int)>();
        for (var i = 0; i < values.Length; i++)
        {
            if (queue.Count < count)
            {
                queue.Enqueue(i, (values[i], -i));
            }
            else if (count > 0)
            {
                queue.EnqueueDequeue(i, (values[i], -i));
            }
        }

        var best = new List<int>();
        while (queue.TryDequeue(out var place, out _))
        {
            best.Add(place);
        }

        best.Reverse();
        return best;
    }
}
