using System.Runtime.CompilerServices;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary><see cref="Dropout"/> inside a kernel: the same factors from the same counter-based stream.</summary>
/// <param name="Stream">Random numbers by place.</param>
/// <param name="Threshold">An element is dropped when its random word is below this.</param>
/// <param name="KeptScale">What kept elements are multiplied by.</param>
internal readonly record struct GpuDropout(Philox Stream, uint Threshold, float KeptScale)
{
    public GpuDropout(Dropout dropout)
        : this(dropout.Stream, dropout.Threshold, dropout.KeptScale)
    {
    }

    /// <summary>0 or 1 / (1 − p): the factor of the element at <paramref name="place"/> = n · D + i.</summary>
    public float Factor(long place) => Stream.UInt32(place) < Threshold ? 0f : KeptScale;

    /// <summary>Those of eight neighbors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 Factors(long place) => new(
        Factor(place), Factor(place + 1), Factor(place + 2), Factor(place + 3),
        Factor(place + 4), Factor(place + 5), Factor(place + 6), Factor(place + 7));
}
