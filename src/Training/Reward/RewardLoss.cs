namespace SafeLlama.Training;

/// <summary>Losses of a reward model over the scores of one batch, with their gradients.</summary>
public static class RewardLoss
{
    /// <summary>Chosen over rejected.</summary>
    /// <remarks>
    /// <code>L = 1/P Σ_p log(1 + exp(r_rejected − r_chosen))      ∂L/∂r_chosen = −σ(r_rejected − r_chosen)/P</code>
    /// Bradley and Terry 1952; as reward models use it, Ouyang et al. 2022, arXiv:2203.02155.
    /// </remarks>
    /// <param name="scores">[2P] chosen and rejected by turns.</param>
    /// <returns>The loss, and ∂L/∂scores [2P].</returns>
    public static (double Loss, double[] Gradient) Pairs(ReadOnlySpan<double> scores)
    {
        var pairs = scores.Length / 2;
        var gradient = new double[scores.Length];
        var loss = 0.0;
        for (var p = 0; p < pairs; p++)
        {
            var margin = scores[2 * p] - scores[2 * p + 1];

            // log(1 + e^−m) without overflow.
            loss += Math.Max(0, -margin) + Math.Log(1 + Math.Exp(-Math.Abs(margin)));
            var push = 1 / (1 + Math.Exp(margin)) / pairs;
            (gradient[2 * p], gradient[2 * p + 1]) = (-push, push);
        }

        return (loss / pairs, gradient);
    }

    /// <summary>Ratings, such as 0 to 4: <c>L = 1/B Σ (r − y)²</c>.</summary>
    /// <param name="scores">[B].</param>
    /// <param name="ratings">[B].</param>
    public static (double Loss, double[] Gradient) Ratings(ReadOnlySpan<double> scores, ReadOnlySpan<double> ratings)
    {
        var gradient = new double[scores.Length];
        var loss = 0.0;
        for (var b = 0; b < scores.Length; b++)
        {
            var error = scores[b] - ratings[b];
            loss += error * error / scores.Length;
            gradient[b] = 2 * error / scores.Length;
        }

        return (loss, gradient);
    }
}
