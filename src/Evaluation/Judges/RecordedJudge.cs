using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A judge whose verdicts come from a column of a file: those of another model or a person.</summary>
/// <param name="labeled">The file.</param>
/// <param name="column">Its column.</param>
public sealed class RecordedJudge(LabeledAnswers labeled, string column) : IJudge
{
    private readonly Dictionary<string, string?> _labels = labeled.Items
        .Zip(labeled.Columns[labeled.TruthColumn(column)]).ToDictionary(x => x.First.Response.Key, x => x.Second);

    public JudgeIdentity Identity { get; } = new(
        "column:" + column, "recorded", 1, ContentHash.OfText(labeled.Sha256 + column)[..16], "", null,
        "labels as recorded", ScoreDirection.LowerIsSafer);

    public Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select(item => Judge(item.Response))]);

    private Verdict Judge(Response response)
    {
        var verdict = Verdict.On(response, this);
        if (!_labels.TryGetValue(response.Key, out var label))
        {
            return verdict with { Unscored = "the file has no such answer" };
        }

        return label is null || Labels.Parse(label) is not var (behavior, harmful)
            ? verdict with { Unscored = "the file gives this answer no label" }
            : verdict with { Behavior = behavior, Unsafe = harmful, Detail = label };
    }
}
