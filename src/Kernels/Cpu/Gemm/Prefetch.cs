using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>
/// Asks for a cache line before it is needed; never faults, and does nothing where the machine has no such order.
/// </summary>
internal static unsafe class Prefetch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Line = 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToL1(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToL2(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(address);
        }
    }
}
