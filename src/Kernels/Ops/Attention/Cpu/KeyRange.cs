using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>Which keys a group's 64 queries see: some of them, and all of them.</summary>
/// <param name="First">The first key that any sees.</param>
/// <param name="Last">The last key that any sees; −1 where there is none.</param>
/// <param name="AllFrom">From here on …</param>
/// <param name="AllTo">… to here, every query sees every key.</param>
internal readonly record struct KeyRange(int First, int Last, int AllFrom, int AllTo)
{
    /// <summary>
    /// Each lane looks at two queries; then the lanes tell each other. Every warp does so for all 64.
    /// </summary>
    public static KeyRange Of(int firstQuery, GpuInts firstKey, GpuInts lastKey, in AttentionShape shape)
    {
        var hull = new KeyRange(int.MaxValue, -1, -1, int.MaxValue);
        for (var t = firstQuery + FlashTile.Lane; t < firstQuery + FlashTile.Rows; t += 32)
        {
            if (t < shape.Queries)
            {
                var row = shape.RowOf(t);
                hull = hull.With(firstKey[row], lastKey[row]);
            }
        }

        return new(LaneMin(hull.First), LaneMax(hull.Last), LaneMax(hull.AllFrom), LaneMin(hull.AllTo));
    }

    /// <summary>Whether some query does not see some of the 32 keys from here on.</summary>
    public bool IsPartial(int key) => key < AllFrom || key + FlashTile.Passing - 1 > AllTo;

    public static int LaneMin(int value)
    {
        for (var distance = 16; distance > 0; distance /= 2)
        {
            value = XMath.Min(value, Warp.ShuffleXor(value, distance));
        }

        return value;
    }

    public static int LaneMax(int value)
    {
        for (var distance = 16; distance > 0; distance /= 2)
        {
            value = XMath.Max(value, Warp.ShuffleXor(value, distance));
        }

        return value;
    }

    private KeyRange With(int first, int last) =>
        new(XMath.Min(First, first), XMath.Max(Last, last), XMath.Max(AllFrom, first), XMath.Min(AllTo, last));
}
