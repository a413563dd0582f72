using System.Runtime.CompilerServices;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>Eight floats in shared memory, read and written as two accesses of 16 bytes.</summary>
internal static class SharedEights
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Load(ArrayView<Floats4> from, int at)
    {
        var (low, high) = (from[2 * at], from[(2 * at) + 1]);
        return new(low.A, low.B, low.C, low.D, high.A, high.B, high.C, high.D);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ArrayView<Floats4> to, int at, Float8 x)
    {
        to[2 * at] = new(x.A, x.B, x.C, x.D);
        to[(2 * at) + 1] = new(x.E, x.F, x.G, x.H);
    }
}
