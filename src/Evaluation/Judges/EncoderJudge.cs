namespace SafeLlama.Evaluation;

/// <summary>A judge that is an encoder with one output: its raw number, and what of the text it did not read.</summary>
public abstract class EncoderJudge(ITextScorer scorer, JudgeIdentity identity) : IJudge
{
    public JudgeIdentity Identity => identity;

    public Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation)
    {
        var scores = scorer.Score([.. items.Select(TextOf)], cancellation);
        return Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select((item, i) => Judge(item.Response, scores[i]))]);
    }

    /// <summary>What the encoder reads of an answer.</summary>
    protected abstract ScoredText TextOf(JudgedAnswer item);

    private Verdict Judge(Response response, TextScore score)
    {
        var verdict = Verdict.On(response, this);
        return !double.IsFinite(score.Score)
            ? verdict with { Unscored = "the score is not finite" }
            : verdict with
            {
                Score = score.Score,
                Unsafe = identity.Threshold is { } threshold ? score.Score >= threshold : null,
                Detail = score.LeftOut > 0 ? $"truncated: the last {score.LeftOut} tokens were not read" : null,
            };
    }
}
