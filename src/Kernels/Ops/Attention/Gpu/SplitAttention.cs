using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>Attention of few queries over many keys, as in decoding: keys are split, and the parts merged.</summary>
/// <remarks>
/// <code>
/// each part of a query's keys    m = max s[j],   l = Σ exp(s[j] − m),   o = Σ exp(s[j] − m) · v[j]
/// merged, first part first       M = max m,      L = Σ exp(m − M) · l,  y = Σ exp(m − M) · o / L,  logSum = M + log L
/// </code>
/// One row of queries fills no device if one group walks along all its keys. The query heads that share a key-value
/// head stay together, so keys and values are read from memory once. How a row's keys are cut depends on their number
/// alone: neither the device nor what stands beside a sequence changes the order of its sums. After Flash-Decoding
/// (Dao, Haziza, Massa and Sizov 2023).
/// </remarks>
internal sealed class SplitAttention : IDisposable
{
    /// <summary>The most parts that a row's keys are cut into.</summary>
    public const int Parts = 32;

    /// <summary>The most rows of queries; more of them fill a device without splitting keys.</summary>
    private const int MaxRows = 32;

    /// <summary>A part is so many keys, or a multiple.</summary>
    public const int LeastKeys = 64;

    /// <summary>Keys whose scores are in shared memory at a time.</summary>
    private const int Tile = 256;

    /// <summary>Query heads of a group: one for each of an <see cref="Float8"/>.</summary>
    private const int Heads = Float8.Count;

    private const int MaxChunks = AttentionTile.MaxHeadDim / Float8.Count;

    private readonly GpuKernel _part;
    private readonly GpuKernel _merge;
    private readonly GpuScratch _sums;
    private readonly GpuScratch _statistics;

    public SplitAttention(GpuDevice device)
    {
        _part = new(device, typeof(SplitAttention), nameof(PartKernel));
        _merge = new(device, typeof(SplitAttention), nameof(MergeKernel));
        (_sums, _statistics) = (new(device, "parts of attention"), new(device, "statistics of attention"));
    }

    public long HeldScratch => _sums.ByteCount + _statistics.ByteCount;

    /// <summary>The most that parts take, if any attention is split.</summary>
    public static long ScratchBytes(in WorkSize work) => (long)MaxRows * Parts * work.Heads
        * ((Chunks(work.HeadDim) * Float8.Count) + 2) * DType.Float32.Size();

    /// <summary>Whether rows are few and keys many enough for splitting to be worth a second kernel.</summary>
    public static bool Supports(Tensor q, Tensor k) => q.Rows <= MaxRows && k.Rows >= 2 * LeastKeys;

    public void Forward(in AttentionInput input, AttentionShape shape, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, _, _) = input;
        var (keyHeads, heads, parts) = (k.Columns / shape.HeadDim, logSum.Columns, q.Rows * Parts);
        var sums = _sums.Take(new(parts, heads * Chunks(shape.HeadDim) * Float8.Count), DType.Float32, "sums");
        var statistics = _statistics.Take(new(parts, 2 * heads), DType.Float32, "statistics");
        _part.Launch(
            new(parts, keyHeads * Blocks(shape.Group)), q, k, v, firstKey, lastKey, shape, sums, statistics);
        _merge.LaunchRows(q.Rows, sums.Columns, sums, statistics, firstKey, lastKey, heads, shape.HeadDim, y, logSum);
    }

    public void Dispose()
    {
        _sums.Dispose();
        _statistics.Dispose();
    }

    /// <summary>
    /// A group per part of a row's keys (x) and up to eight query heads that share a key-value head (y). Scores: a
    /// thread takes a key. Softmax: a few threads take a head. Values: a thread takes eight columns of a head, and
    /// teams of such threads share the keys.
    /// </summary>
    internal static void PartKernel<T>(
        GpuMatrix<T> q, GpuMatrix<T> k, GpuMatrix<T> v, GpuInts firstKey, GpuInts lastKey, AttentionShape shape,
        GpuResult<GpuFloat32> sums, GpuResult<GpuFloat32> statistics)
        where T : unmanaged, IGpuActivation<T>
    {
        var queries = SharedMemory.Allocate<Floats4>(2 * Heads * MaxChunks);
        var outputs = SharedMemory.Allocate<Floats4>(2 * Heads * MaxChunks);
        var partial = SharedMemory.Allocate<Floats4>(2 * GroupReduce.MaxGroupSize);
        var scores = SharedMemory.Allocate<float>(Heads * Tile);
        var peaks = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var shares = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var levels = SharedMemory.Allocate<float>(Heads);
        var maxima = SharedMemory.Allocate<float>(Heads);
        var totals = SharedMemory.Allocate<float>(Heads);
        var worths = SharedMemory.Allocate<float>(Heads);
        var row = Grid.IdxX / Parts;
        var keys = KeyPart.Of(Grid.IdxX % Parts, firstKey[row], lastKey[row]);
        if (keys.Count == 0)
        {
            return;
        }

        var (blocks, chunks) = (Blocks(shape.Group), Chunks(shape.HeadDim));
        var (keyHead, inGroup) = (Grid.IdxY / blocks, Grid.IdxY % blocks * Heads);
        var (head, heads) = ((keyHead * shape.Group) + inGroup, XMath.Min(Heads, shape.Group - inGroup));
        var (column, pairs) = (keyHead * shape.HeadDim, heads * chunks);
        for (var pair = Group.IdxX; pair < pairs; pair += Group.DimX)
        {
            var at = (head + (pair / chunks)) * shape.HeadDim;
            var part = q.Load(row, at + (Float8.Count * (pair % chunks)), at + shape.HeadDim);
            SharedEights.Store(queries, pair, shape.Scale * part);
            SharedEights.Store(outputs, pair, Float8.All(0f));
        }

        for (var h = Group.IdxX; h < Heads; h += Group.DimX)
        {
            (maxima[h], totals[h]) = (float.NegativeInfinity, 0f);
        }

        var lanes = XMath.Max(1, Group.DimX / Heads);
        var teams = XMath.Max(1, Group.DimX / pairs);
        for (var done = 0; done < keys.Count; done += Tile)
        {
            var (first, count) = (keys.First + done, XMath.Min(Tile, keys.Count - done));
            Group.Barrier();
            for (var j = Group.IdxX; j < count; j += Group.DimX)
            {
                var dots = Float8.All(0f);
                for (var c = 0; c < chunks; c++)
                {
                    var part = k.Load(first + j, column + (Float8.Count * c), column + shape.HeadDim);
                    dots += new Float8(
                        Dot(queries, 0, c, chunks, heads, part), Dot(queries, 1, c, chunks, heads, part),
                        Dot(queries, 2, c, chunks, heads, part), Dot(queries, 3, c, chunks, heads, part),
                        Dot(queries, 4, c, chunks, heads, part), Dot(queries, 5, c, chunks, heads, part),
                        Dot(queries, 6, c, chunks, heads, part), Dot(queries, 7, c, chunks, heads, part));
                }

                scores[j] = dots.A;
                scores[Tile + j] = dots.B;
                scores[(2 * Tile) + j] = dots.C;
                scores[(3 * Tile) + j] = dots.D;
                scores[(4 * Tile) + j] = dots.E;
                scores[(5 * Tile) + j] = dots.F;
                scores[(6 * Tile) + j] = dots.G;
                scores[(7 * Tile) + j] = dots.H;
            }

            Group.Barrier();
            for (var e = Group.IdxX; e < heads * lanes; e += Group.DimX)
            {
                var peak = float.NegativeInfinity;
                for (var j = e % lanes; j < count; j += lanes)
                {
                    peak = XMath.Max(peak, scores[(e / lanes * Tile) + j]);
                }

                peaks[e] = peak;
            }

            Group.Barrier();
            for (var e = Group.IdxX; e < heads * lanes; e += Group.DimX)
            {
                var h = e / lanes;
                var level = maxima[h];
                for (var l = 0; l < lanes; l++)
                {
                    level = XMath.Max(level, peaks[(h * lanes) + l]);
                }

                var share = 0f;
                for (var j = e % lanes; j < count; j += lanes)
                {
                    var p = XMath.Exp(scores[(h * Tile) + j] - level);
                    scores[(h * Tile) + j] = p;
                    share += p;
                }

                shares[e] = share;
                if (e % lanes == 0)
                {
                    levels[h] = level;
                }
            }

            Group.Barrier();
            for (var h = Group.IdxX; h < heads; h += Group.DimX)
            {
                var worth = XMath.Exp(maxima[h] - levels[h]);
                var total = worth * totals[h];
                for (var l = 0; l < lanes; l++)
                {
                    total += shares[(h * lanes) + l];
                }

                (worths[h], totals[h], maxima[h]) = (worth, total, levels[h]);
            }

            for (var e = Group.IdxX; e < pairs * teams; e += Group.DimX)
            {
                var (h, c) = (e % pairs / chunks, e % pairs % chunks);
                var sum = Float8.All(0f);
                for (var j = e / pairs; j < count; j += teams)
                {
                    var part = v.Load(first + j, column + (Float8.Count * c), column + shape.HeadDim);
                    sum += scores[(h * Tile) + j] * part;
                }

                SharedEights.Store(partial, e, sum);
            }

            Group.Barrier();
            for (var pair = Group.IdxX; pair < pairs; pair += Group.DimX)
            {
                var sum = worths[pair / chunks] * SharedEights.Load(outputs, pair);
                for (var team = 0; team < teams; team++)
                {
                    sum += SharedEights.Load(partial, (team * pairs) + pair);
                }

                SharedEights.Store(outputs, pair, sum);
            }
        }

        // What a thread writes here it has itself put into shared memory.
        for (var pair = Group.IdxX; pair < pairs; pair += Group.DimX)
        {
            var at = Float8.Count * ((head * chunks) + pair);
            sums.Store(Grid.IdxX, at, at + Float8.Count, SharedEights.Load(outputs, pair));
        }

        for (var h = Group.IdxX; h < heads; h += Group.DimX)
        {
            statistics[Grid.IdxX, 2 * (head + h)] = maxima[h];
            statistics[Grid.IdxX, (2 * (head + h)) + 1] = totals[h];
        }
    }

    /// <summary>A row of queries per x, parts of it along y; a thread adds up eight columns, part by part.</summary>
    internal static void MergeKernel<T>(
        GpuMatrix<GpuFloat32> sums, GpuMatrix<GpuFloat32> statistics, GpuInts firstKey, GpuInts lastKey, int heads,
        int headDim, GpuResult<T> y, GpuResult<GpuFloat32> logSum)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads, chunks) = (Grid.IdxX, Grid.DimY * Group.DimX, Chunks(headDim));
        var parts = KeyPart.Parts(firstKey[row], lastKey[row]);
        for (var e = (Grid.IdxY * Group.DimX) + Group.IdxX; e < heads * chunks; e += threads)
        {
            var (h, first) = (e / chunks, row * Parts);
            var level = float.NegativeInfinity;
            for (var part = 0; part < parts; part++)
            {
                level = XMath.Max(level, statistics[first + part, 2 * h]);
            }

            var total = 0f;
            var sum = Float8.All(0f);
            for (var part = 0; part < parts; part++)
            {
                var worth = XMath.Exp(statistics[first + part, 2 * h] - level);
                total += worth * statistics[first + part, (2 * h) + 1];
                sum += worth * sums.Load(first + part, Float8.Count * e, Float8.Count * (e + 1));
            }

            var at = h * headDim;
            y.Store(row, at + (Float8.Count * (e % chunks)), at + headDim, sum / Float8.All(total));
            if (e % chunks == 0)
            {
                logSum[row, h] = level + XMath.Log(total);
            }
        }
    }

    /// <summary>Eights of a head.</summary>
    private static int Chunks(int headDim) => (headDim + Float8.Count - 1) / Float8.Count;

    /// <summary>Groups that share a key-value head, where more than eight query heads do.</summary>
    private static int Blocks(int group) => (group + Heads - 1) / Heads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(ArrayView<Floats4> queries, int h, int c, int chunks, int heads, Float8 part) =>
        h < heads ? (SharedEights.Load(queries, (h * chunks) + c) * part).Sum() : 0f;
}
