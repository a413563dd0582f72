namespace SafeLlama.Evaluation;

/// <summary>
/// A judge based on an encoder with one output. It gives the raw number and the count of tokens left out.
/// </summary>
public abstract class EncoderJudge(ITextScorer scorer, JudgeIdentity identity) : IJudge
{
    public JudgeIdentity Identity => identity;

    public Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation)
    {
        var scores = scorer.Score([.. items.Select(TextOf)], cancellation);
        return Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select((item, i) => Judge(item.Response, scores[i]))]);
    }

    /// <summary>The text that the encoder reads for an answer.</summary>
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
                LeftOut = score.LeftOut,
                Detail = score.LeftOut > 0 ? $"truncated: the last {score.LeftOut} tokens were not read" : null,
            };
    }
}
