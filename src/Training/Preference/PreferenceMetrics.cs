namespace SafeLlama.Training;

/// <summary>How far preferences are learned, over the examples of a step or of a validation.</summary>
/// <param name="Accuracy">Share of pairs whose wanted answer has the higher reward; of single answers, share on the
/// right side of the reference point.</param>
public sealed record PreferenceMetrics(double Accuracy)
{
    /// <summary>Mean reward of wanted answers; absent where there are none.</summary>
    public double? RewardChosen { get; init; }

    /// <summary>Mean reward of unwanted answers; absent where there are none.</summary>
    public double? RewardRejected { get; init; }

    /// <summary>The first less the second.</summary>
    public double? Margin { get; init; }

    /// <summary>Mean log-probability of wanted answers, by answer or by token as the loss takes them.</summary>
    public double? LogpChosen { get; init; }

    /// <summary>Mean log-probability of unwanted answers.</summary>
    public double? LogpRejected { get; init; }

    /// <summary>ORPO: the mean negative log-likelihood of a target of the wanted answers.</summary>
    public double? Nll { get; init; }

    /// <summary>KTO: z.</summary>
    public double? ReferencePoint { get; init; }

    /// <summary>What is there, by the name that charts give it.</summary>
    public IEnumerable<(string Name, double Value)> Values() => new[]
    {
        ("accuracy", Accuracy), ("reward_chosen", RewardChosen), ("reward_rejected", RewardRejected),
        ("margin", Margin), ("logp_chosen", LogpChosen), ("logp_rejected", LogpRejected), ("nll", Nll),
        ("reference_point", ReferencePoint),
    }.Where(m => m.Item2 is not null).Select(m => (m.Item1, m.Item2!.Value));
}

/// <summary>Sums of which <see cref="PreferenceMetrics"/> are means.</summary>
internal sealed class PreferenceSums
{
    private (double Reward, double Logp, int Count) _chosen;
    private (double Reward, double Logp, int Count) _rejected;
    private (int Right, int All) _judged;

    public (double Sum, int Count) Nll { get; set; }

    public void Add(bool wanted, double reward, double logp)
    {
        ref var side = ref wanted ? ref _chosen : ref _rejected;
        side = (side.Reward + reward, side.Logp + logp, side.Count + 1);
    }

    public void Judge(bool right) => _judged = (_judged.Right + (right ? 1 : 0), _judged.All + 1);

    /// <param name="point">KTO's z.</param>
    public PreferenceMetrics Means(double? point)
    {
        static double? Mean(double sum, int count) => count == 0 ? null : sum / count;
        var (chosen, rejected) = (Mean(_chosen.Reward, _chosen.Count), Mean(_rejected.Reward, _rejected.Count));
        return new((double)_judged.Right / _judged.All)
        {
            RewardChosen = chosen,
            RewardRejected = rejected,
            Margin = chosen - rejected,
            LogpChosen = Mean(_chosen.Logp, _chosen.Count),
            LogpRejected = Mean(_rejected.Logp, _rejected.Count),
            Nll = Mean(Nll.Sum, Nll.Count),
            ReferencePoint = point,
        };
    }
}
