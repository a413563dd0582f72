using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>Which queries see any of a group's 64 keys.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them; −1 where there is none.</param>
internal readonly record struct QueryRange(int First, int Last)
{
    /// <summary>
    /// The group's threads look through all rows; then lanes tell each other, and warps by way of shared memory.
    /// </summary>
    public static QueryRange Of(int firstKeyRow, GpuInts firstKey, GpuInts lastKey, in AttentionShape shape)
    {
        const int Warps = FlashTile.Threads / 32;
        var found = SharedMemory.Allocate<int>(2 * Warps);
        var (first, last) = (int.MaxValue, -1);
        for (var row = Group.IdxX; row < shape.Rows; row += FlashTile.Threads)
        {
            if (firstKey[row] < firstKeyRow + FlashTile.Rows && lastKey[row] >= firstKeyRow)
            {
                (first, last) = (XMath.Min(first, row), XMath.Max(last, row));
            }
        }

        (first, last) = (KeyRange.LaneMin(first), KeyRange.LaneMax(last));
        if (FlashTile.Lane == 0)
        {
            found[Group.IdxX >> 5] = first;
            found[Warps + (Group.IdxX >> 5)] = last;
        }

        Group.Barrier();
        for (var warp = 0; warp < Warps; warp++)
        {
            (first, last) = (XMath.Min(first, found[warp]), XMath.Max(last, found[Warps + warp]));
        }

        // A row of queries is as many queries of this key-value head as there are heads in its group.
        return last < 0 ? new(0, -1) : new(first * shape.Group, ((last + 1) * shape.Group) - 1);
    }
}
