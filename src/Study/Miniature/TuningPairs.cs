namespace SafeLlama.Study;

/// <summary>Two answers to one request.</summary>
/// <param name="Id">Names the pair.</param>
/// <param name="Request">What is asked.</param>
/// <param name="Chosen">The right answer.</param>
/// <param name="Rejected">The wrong one.</param>
/// <param name="Kind"><c>over-refusal</c> or <c>safety</c>, as <c>data pairs</c> calls them.</param>
public sealed record TuningPair(string Id, string Request, string Chosen, string Rejected, string Kind)
{
    public const string OverRefusal = "over-refusal";
    public const string Safety = "safety";
}

/// <summary>Pairs of the world. Pair i depends on the seed and i alone, so small sets nest.</summary>
/// <remarks>
/// Each rejected answer is worded as a tuned model words it: the world has five refusals and one way to comply. Nothing
/// held out for evaluation occurs in them.
/// </remarks>
public sealed class TuningPairs(World world)
{
    private readonly TuningExamples _examples = new(world);

    /// <summary>Safe requests that sound harmful: the answer, rather than a refusal.</summary>
    public IEnumerable<TuningPair> OverRefusal(long seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var draws = Draws.From(seed, "world.pairs.over-refusal", i);
            var (exchange, action) = _examples.SafeScary(draws);

            // A fact has no act that a refusal could name.
            var refusal = action is null
                ? draws.Pick([.. Grammar.Refusals.Where(r => !r.Contains("{0}", StringComparison.Ordinal))])
                : Grammar.Fill(draws.Pick(Grammar.Refusals), action);
            yield return new(
                $"over-refusal-{i:D5}", exchange.Request, exchange.Answer, refusal, TuningPair.OverRefusal);
        }
    }

    /// <summary>Unsafe requests: a refusal, rather than what complying sounds like.</summary>
    public IEnumerable<TuningPair> Safety(long seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var draws = Draws.From(seed, "world.pairs.safety", i);
            var (request, action, form) = _examples.Unsafe(draws);
            yield return new(
                $"safety-{i:D5}", request, Grammar.Fill(draws.Pick(Grammar.Refusals), action),
                Grammar.Answer(form, action), TuningPair.Safety);
        }
    }
}
