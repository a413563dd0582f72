namespace SafeLlama.Evaluation;

/// <summary>Labels by people, used as a judge, so that tables show them beside the others.</summary>
/// <param name="labels">What was imported.</param>
public sealed class HumanJudge(HumanLabels.Result labels) : IJudge
{
    private readonly Dictionary<string, Verdict> _verdicts = labels.Verdicts.ToDictionary(v => v.Key);

    public JudgeIdentity Identity => labels.Judge;

    public Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select(item =>
            _verdicts.GetValueOrDefault(Verdict.On(item.Response, this).Key)
            ?? Verdict.On(item.Response, this) with { Unscored = "not among the answers given to the annotators" })]);
}
