using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>What the attention kernels share: how heads and rows become tiles, and how tiles are read.</summary>
/// <remarks>
/// The query heads that share a key-value head are laid one behind the other: query t of a key-value head is row
/// t / group, head t % group of its group. So grouped queries fill a tile in decoding too, and keys are read once for
/// all.
/// </remarks>
internal static class AttentionTile
{
    /// <summary>The largest head size that fits shared memory.</summary>
    public const int MaxHeadDim = 128;

    /// <summary>
    /// Floats from row to row of a tile: one more than a row, so that neighbors meet different banks.
    /// </summary>
    public const int Pitch = MaxHeadDim + 1;

    /// <summary>Keys in a tile.</summary>
    public const int Keys = 16;

    /// <summary>
    /// Reads rows of queries (or of what stands beside them), multiplied by a factor; zero past the last.
    /// </summary>
    public static void LoadQueries<T>(
        GpuMatrix<T> from, ArrayView<float> tile, int firstQuery, int count, float factor, in AttentionShape shape)
        where T : unmanaged, IGpuActivation<T>
    {
        for (var e = Group.IdxX; e < count * shape.HeadDim; e += Group.DimX)
        {
            var (r, i) = (e / shape.HeadDim, e % shape.HeadDim);
            var t = firstQuery + r;
            tile[(r * Pitch) + i] = t < shape.Queries ? factor * from[shape.RowOf(t), shape.ColumnOf(t) + i] : 0f;
        }
    }

    /// <summary>Reads rows of keys or values; zero past the last.</summary>
    public static void LoadKeys<T>(GpuMatrix<T> from, ArrayView<float> tile, int firstKey, in AttentionShape shape)
        where T : unmanaged, IGpuActivation<T>
    {
        for (var e = Group.IdxX; e < Keys * shape.HeadDim; e += Group.DimX)
        {
            var (c, i) = (e / shape.HeadDim, e % shape.HeadDim);
            tile[(c * Pitch) + i] = firstKey + c < shape.KeyRows
                ? from[firstKey + c, (Grid.IdxY * shape.HeadDim) + i]
                : 0f;
        }
    }

    public static void Clear(ArrayView<float> tile, int count)
    {
        for (var e = Group.IdxX; e < count * Pitch; e += Group.DimX)
        {
            tile[e] = 0f;
        }
    }

    public static float Dot(ArrayView<float> a, int rowA, ArrayView<float> b, int rowB, int count)
    {
        var sum = 0f;
        for (var i = 0; i < count; i++)
        {
            sum += a[(rowA * Pitch) + i] * b[(rowB * Pitch) + i];
        }

        return sum;
    }

    /// <summary>Whether a query may see a key.</summary>
    public static bool Sees(int query, int key, GpuInts firstKey, GpuInts lastKey, in AttentionShape shape)
    {
        if (query >= shape.Queries)
        {
            return false;
        }

        var row = shape.RowOf(query);
        return key >= firstKey[row] && key <= lastKey[row];
    }

    /// <summary>The first and the last key that any of a tile's queries sees.</summary>
    public static (int First, int Last) KeysOf(
        int firstQuery, int count, GpuInts firstKey, GpuInts lastKey, in AttentionShape shape)
    {
        var (first, last) = (int.MaxValue, -1);
        for (var t = firstQuery; t < firstQuery + count && t < shape.Queries; t++)
        {
            first = XMath.Min(first, firstKey[shape.RowOf(t)]);
            last = XMath.Max(last, lastKey[shape.RowOf(t)]);
        }

        return (first, last);
    }
}

/// <param name="Rows">N, rows of queries.</param>
/// <param name="KeyRows">M, rows of keys.</param>
/// <param name="Group">H / K, query heads that share a key-value head.</param>
/// <param name="HeadDim">d.</param>
/// <param name="Scale">Multiplies q · k.</param>
internal readonly record struct AttentionShape(int Rows, int KeyRows, int Group, int HeadDim, float Scale)
{
    /// <summary>Queries of one key-value head.</summary>
    public int Queries => Rows * Group;

    public int RowOf(int query) => query / Group;

    /// <summary>The query's head, counted over all key-value heads; the grid's y is the key-value head.</summary>
    public int HeadOf(int query) => (Grid.IdxY * Group) + (query % Group);

    public int ColumnOf(int query) => HeadOf(query) * HeadDim;
}
