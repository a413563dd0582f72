using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>The factors of <see cref="Dropout.Factor"/> for a run of places, four blocks of Philox at a time.</summary>
internal static unsafe class DropoutCpu
{
    /// <summary>Places that one turn of the vector loop fills: four blocks of four words.</summary>
    private const int PlacesPerTurn = 16;

    /// <param name="dropout">An active dropout.</param>
    /// <param name="place">The first place.</param>
    /// <param name="count">How many places.</param>
    /// <param name="factors">[count] results: 0 or 1 / (1 − p).</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Factors(Dropout dropout, long place, int count, float* factors)
    {
        var i = 0;
        if (Avx2.IsSupported && place % 4 == 0)
        {
            var threshold = Vector256.Create(dropout.Threshold);
            var kept = Vector256.Create(dropout.KeptScale);
            var counters = Vector256.Create((ulong)place >> 2) + Vector256.Create(0ul, 1, 2, 3);
            for (; i <= count - PlacesPerTurn; i += PlacesPerTurn, counters += Vector256.Create(4ul))
            {
                var (first, second) = Words(dropout.Stream.Key, counters);
                Vector256.AndNot(kept, Vector256.LessThan(first, threshold).AsSingle()).Store(factors + i);
                Vector256.AndNot(kept, Vector256.LessThan(second, threshold).AsSingle()).Store(factors + i + 8);
            }
        }

        for (; i < count; i++)
        {
            factors[i] = dropout.Factor(place + i);
        }
    }

    /// <summary>kept = x · factor, for some rows of x.</summary>
    /// <param name="dropout">An active dropout.</param>
    /// <param name="xs">[N, D].</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="kept">[rows, D] the values that stay, scaled.</param>
    /// <param name="factors">[rows, D] 0 or 1 / (1 − p).</param>
    public static void Drop(Dropout dropout, ActivationRows xs, int first, int rows, float* kept, float* factors)
    {
        for (var row = 0; row < rows; row++)
        {
            var at = (long)row * xs.Columns;
            Factors(dropout, (long)(first + row) * xs.Columns, xs.Columns, factors + at);
            VectorMath.Multiply(xs.Read(first + row, kept + at), factors + at, kept + at, xs.Columns);
        }
    }

    /// <summary>The sixteen words of four blocks, in order of place.</summary>
    /// <remarks>A lane of 64 bits works on one block; its upper half is never read, so nothing needs masking.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> First, Vector256<uint> Second) Words(
        (uint Low, uint High) key, Vector256<ulong> counters)
    {
        var (c0, c1) = (counters.AsUInt32(), Vector256.ShiftRightLogical(counters, 32).AsUInt32());
        var (c2, c3) = (Vector256<uint>.Zero, Vector256<uint>.Zero);
        var (k0, k1) = (Vector256.Create(key.Low), Vector256.Create(key.High));
        for (var round = 0; round < 10; round++)
        {
            var p0 = Avx2.Multiply(c0, Vector256.Create(0xD2511F53u));
            var p1 = Avx2.Multiply(c2, Vector256.Create(0xCD9E8D57u));
            c0 = Vector256.ShiftRightLogical(p1, 32).AsUInt32() ^ c1 ^ k0;
            c2 = Vector256.ShiftRightLogical(p0, 32).AsUInt32() ^ c3 ^ k1;
            (c1, c3) = (p1.AsUInt32(), p0.AsUInt32());
            k0 += Vector256.Create(0x9E3779B9u);
            k1 += Vector256.Create(0xBB67AE85u);
        }

        var (pairs01, pairs23) = (Pairs(c0, c1), Pairs(c2, c3));
        var even = Avx2.UnpackLow(pairs01, pairs23).AsUInt32();
        var odd = Avx2.UnpackHigh(pairs01, pairs23).AsUInt32();
        return (Avx2.Permute2x128(even, odd, 0x20), Avx2.Permute2x128(even, odd, 0x31));
    }

    /// <summary>
    /// In each 64 bits the low word of <paramref name="first"/>, then that of <paramref name="second"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Pairs(Vector256<uint> first, Vector256<uint> second) =>
        (first.AsUInt64() & Vector256.Create(0xFFFFFFFFul)) | Vector256.ShiftLeft(second.AsUInt64(), 32);
}
