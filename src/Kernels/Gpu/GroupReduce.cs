using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>Sums and maxima over a thread group, in a fixed order: no atomics, no warp shuffles.</summary>
/// <remarks>
/// A tree in shared memory adds halves until one value is left. Every thread must call it, and every thread receives
/// the result. The order depends on the group's size alone, so one seed gives one loss.
/// </remarks>
internal static class GroupReduce
{
    /// <summary>The largest group that kernels are launched with; a power of two.</summary>
    public const int MaxGroupSize = 256;

    public static float Sum(float value)
    {
        var shared = SharedMemory.Allocate<float>(MaxGroupSize);
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (var half = Group.DimX / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half)
            {
                shared[Group.IdxX] += shared[Group.IdxX + half];
            }

            Group.Barrier();
        }

        var sum = shared[0];
        Group.Barrier();
        return sum;
    }

    public static double Sum(double value)
    {
        var shared = SharedMemory.Allocate<double>(MaxGroupSize);
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (var half = Group.DimX / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half)
            {
                shared[Group.IdxX] += shared[Group.IdxX + half];
            }

            Group.Barrier();
        }

        var sum = shared[0];
        Group.Barrier();
        return sum;
    }

    public static float Max(float value)
    {
        var shared = SharedMemory.Allocate<float>(MaxGroupSize);
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (var half = Group.DimX / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half)
            {
                shared[Group.IdxX] = XMath.Max(shared[Group.IdxX], shared[Group.IdxX + half]);
            }

            Group.Barrier();
        }

        var max = shared[0];
        Group.Barrier();
        return max;
    }
}
