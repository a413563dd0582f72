namespace SafeLlama.Evaluation;

/// <summary>The scores of one prompt in every replicate.</summary>
/// <param name="Cluster">Prompts of one cluster are not independent and are resampled together.</param>
/// <param name="Values">
/// Models × seeds: every seed of the first model, then of the next; NaN for an invalid answer.
/// </param>
/// <param name="Models">How many base models the values are of.</param>
public record CrossedScores(string Cluster, IReadOnlyList<double> Values, int Models = 1)
{
    /// <summary>Over the replicates that gave an answer.</summary>
    public double Mean => Values.Where(double.IsFinite).Average();
}
