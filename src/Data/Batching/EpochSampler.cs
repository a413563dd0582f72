using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Selects the examples of each optimizer step, in a new seeded order in every epoch.</summary>
/// <remarks>
/// The selection depends only on seed and step, so a resumed run asks for step k + 1 and continues as if it had not
/// stopped. An epoch's last step holds what is left; a step never crosses into the next epoch.
/// </remarks>
public sealed class EpochSampler
{
    private readonly long _seed;
    private readonly bool _shuffle;
    private (long Epoch, int[] Order) _current;

    /// <param name="count">Examples in an epoch.</param>
    /// <param name="batchSize">Examples in a step.</param>
    /// <param name="seed">Seeds the order of every epoch.</param>
    /// <param name="shuffle">False keeps the order given, in every epoch.</param>
    public EpochSampler(int count, int batchSize, long seed, bool shuffle = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (Count, BatchSize, _seed, _shuffle) = (count, batchSize, seed, shuffle);
        _current = (0, Order(0));
    }

    public int Count { get; }

    public int BatchSize { get; }

    public int StepsPerEpoch => (Count + BatchSize - 1) / BatchSize;

    /// <summary>The order of an epoch, from 0: a permutation of 0 … Count − 1.</summary>
    public int[] Order(long epoch)
    {
        return _shuffle
            ? Philox.Stream(_seed, "data.order", epoch).Permutation(Count)
            : [.. Enumerable.Range(0, Count)];
    }

    /// <summary>
    /// The epoch, counted in fractions, that has been learned once <paramref name="steps"/> steps are done.
    /// </summary>
    public double EpochAfter(long steps) =>
        steps / StepsPerEpoch + Math.Min(1.0, (double)(steps % StepsPerEpoch) * BatchSize / Count);

    /// <summary>The examples of a step, from 0.</summary>
    public IReadOnlyList<int> Step(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var epoch = step / StepsPerEpoch;
        if (_current.Epoch != epoch)
        {
            _current = (epoch, Order(epoch));
        }

        var start = (int)(step % StepsPerEpoch) * BatchSize;
        return new ArraySegment<int>(_current.Order, start, Math.Min(BatchSize, Count - start));
    }
}
