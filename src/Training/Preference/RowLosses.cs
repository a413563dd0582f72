using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>The loss of every target of a packed batch, found by its row.</summary>
internal sealed class RowLosses
{
    private readonly double[] _losses;
    private readonly int[] _firstTarget;

    /// <param name="losses">One for each target, in the order of rows; what follows does not count.</param>
    public RowLosses(PackedBatch batch, double[] losses)
    {
        _losses = losses;
        _firstTarget = new int[batch.Length + 1];
        for (var n = 0; n < batch.Length; n++)
        {
            _firstTarget[n + 1] = _firstTarget[n] + (batch.Targets[n] >= 0 ? 1 : 0);
        }
    }

    /// <summary>Σ of the targets of rows <paramref name="begin"/> … <paramref name="end"/> − 1.</summary>
    public double Sum(int begin, int end)
    {
        var sum = 0.0;
        for (var t = _firstTarget[begin]; t < _firstTarget[end]; t++)
        {
            sum += _losses[t];
        }

        return sum;
    }

    /// <summary>Adds to the weight of every target of these rows.</summary>
    public void Fill(double[] weights, int begin, int end, double weight)
    {
        for (var t = _firstTarget[begin]; t < _firstTarget[end]; t++)
        {
            weights[t] += weight;
        }
    }
}
