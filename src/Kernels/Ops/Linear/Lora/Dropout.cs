using System.Runtime.CompilerServices;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Dropout that stores no mask: whether element i is kept depends on the stream and on i alone.</summary>
/// <remarks>
/// Kept elements are scaled by 1 / (1 − p). Backward asks for the same factors again. Srivastava et al. 2014; the
/// counter-based stream is <see cref="Philox"/>.
/// </remarks>
/// <param name="Probability">The share of elements set to zero, in [0, 1).</param>
/// <param name="Stream">Random numbers of this step, micro-batch, layer and matrix.</param>
public readonly record struct Dropout(double Probability, Philox Stream)
{
    public static Dropout None => default;

    public bool IsActive => Probability > 0;

    /// <summary>What kept elements are multiplied by.</summary>
    public float KeptScale => (float)(1 / (1 - Probability));

    /// <summary>An element is dropped when its random word is below this.</summary>
    public uint Threshold => (uint)Math.Min(uint.MaxValue, Probability * 4294967296.0);

    /// <summary>0 or 1 / (1 − p): the factor of the element at <paramref name="place"/> = n · D + i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Factor(long place) => Stream.UInt32(place) < Threshold ? 0 : KeptScale;
}
