using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Searches, for each prompt, a suffix that makes a wanted answer likely.</summary>
/// <remarks>
/// The searches are kept in <c>search.jsonl</c> of the trial's folder, one a line. Random numbers are those of prompt,
/// length and step, so that a search with more steps goes on from one with fewer.
/// </remarks>
/// <param name="settings">Of the search.</param>
/// <param name="answers">The identity of the given answers; empty without them.</param>
public sealed class SuffixTrial(SuffixSettings settings, string answers = "") : PromptTrial, IAttackTrial
{
    public const string Name = "suffix";

    public const string SearchFile = "search.jsonl";

    private Dictionary<string, SuffixFound> _found = [];

    public override string Attack => Name;

    public override string Setting => $"{settings.Length}x{settings.Steps}";

    public override string About =>
        $"Searches {settings.Length} tokens behind the request, in {settings.Steps} steps of {settings.Batch} swaps, "
        + "by the model's own gradients.";

    public override string Identity =>
        $"{Name} 2\n{settings.Length} {settings.Steps} {settings.Batch} {settings.TopK} {settings.Target}\n{answers}\n"
        + PrefillTrial.Opening;

    public override AttackLoad Load(SuitePrompt prompt, long seed) =>
        new(prompt.Text, Tokens: settings.Length);

    public override PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        using var store = RecordStore.Open<SuffixFound>(Path.Combine(folder, SearchFile));
        using var gradient = new TokenGradient(context.Session.Model);
        var search = new SuffixSearch(context.Session, gradient, settings);
        var done = 0;
        foreach (var prompt in context.Prompts)
        {
            if (!store.Contains(prompt.Key)
                && search.Find(
                    prompt.Key, prompt.Text, text => context.Render(prompt, text), Begun(context, prompt),
                    Philox.Stream(context.Seed, $"attack.suffix {settings.Length} {prompt.Key}"), cancellation) is { } found)
            {
                store.Append(found);
            }

            progress?.Report(new("suffixes", ++done, context.Prompts.Count));
        }

        _found = store.Records.ToDictionary(found => found.Prompt, StringComparer.Ordinal);
        var prepared = base.Prepare(context, folder, progress, cancellation);
        return prepared with { Notes = [.. Notes(), .. prepared.Notes] };
    }

    /// <summary>One step of one search, times all steps of all.</summary>
    public double PreparationSeconds(AttackContext context)
    {
        using var gradient = new TokenGradient(context.Session.Model);
        double Seconds(int steps)
        {
            var search = new SuffixSearch(context.Session, gradient, settings with { Steps = steps });
            var clock = Stopwatch.StartNew();
            var prompt = context.Prompts[0];
            search.Find(
                prompt.Key, prompt.Text, text => context.Render(prompt, text), Begun(context, prompt),
                Philox.Stream(context.Seed, "attack.forecast"), CancellationToken.None);
            return clock.Elapsed.TotalSeconds;
        }

        Seconds(1);     // the first one allocates
        var one = Seconds(1);
        return Math.Max(0, Seconds(2) - one) * settings.Steps * context.Prompts.Count;
    }

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt) =>
        !_found.TryGetValue(prompt.Key, out var found) ? null
            : context.Attacked(prompt, prompt.Text + found.Suffix) with
            {
                Remarks = context.WantedAnswer(prompt).Remark is { Length: > 0 } remark ? [remark] : [],
            };

    private static Func<string, IReadOnlyList<PromptSegment>> Begun(AttackContext context, SuitePrompt prompt) =>
        text => context.RenderBegun(prompt, text, context.WantedAnswer(prompt).Text);

    private IEnumerable<string> Notes()
    {
        if (_found.Count > 0)
        {
            var (tried, dropped) = (_found.Values.Sum(f => (long)f.Tried), _found.Values.Sum(f => (long)f.NotReadBack));
            yield return FormattableString.Invariant(
                $"Mean loss of the wanted answer: {_found.Values.Average(f => f.StartLoss):0.000} nats a token before, ")
                + FormattableString.Invariant($"{_found.Values.Average(f => f.Loss):0.000} after; {tried} suffixes tried, ")
                + $"{dropped} dropped since their text is read as other tokens.";
        }
    }
}
